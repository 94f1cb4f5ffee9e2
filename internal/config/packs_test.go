package config

import (
	"strings"
	"testing"

	"syncd.io/syncd/internal/fault"
)

func TestARegistryForPacks(t *testing.T) {
	for text, want := range map[string]string{
		"registry: registry.lan":                             "",
		"registry: 'registry.lan:5000'":                      "",
		"registry: 'https://registry.lan:5000'":              "",
		"registry: 'http://registry.lan', allowHTTP: true":   "",
		"registry: 'http://registry.lan'":                    "packs.registry is of plain http, which is neither private nor safe from changes on the way",
		"registry: 'http://login.lan:5000', allowHTTP: true": "a login is never sent over plain http",
		"registry: 'ftp://registry.lan'":                     "want HOST or HOST:PORT of a registry, or http://HOST[:PORT]",
		"registry: 'https://joe:s3cret@registry.lan'":        "want HOST or HOST:PORT of a registry, or http://HOST[:PORT]",
		"registry: registry.lan/v2/hub":                      "want HOST or HOST:PORT of a registry, or http://HOST[:PORT]",
	} {
		_, err := DecodeHost("f", []byte("repo: {url: a}\npacks: {"+text+"}\nregistries: {configs: {'login.lan:5000': {auth: {username: joe, passwordFile: /p}}}}\n"))
		if want == "" && err == nil {
			continue
		}
		if err == nil || want == "" || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "f:2: ") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s\n%v\nwant %s", text, err, want)
		}
		if strings.Contains(want, "plain http,") && !strings.Contains(fault.Advice(err), "packs.allowHTTP: true") {
			t.Errorf("the hint is %q", fault.Advice(err))
		}
	}
}
