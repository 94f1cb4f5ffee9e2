package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRegistriesAreRead(t *testing.T) {
	h, err := DecodeHost("f", []byte(`repo: {url: a}
registries:
  mirrors:
    docker.io:
      endpoint: ["https://mirror.lan:5000", "http://10.0.0.2/v2/hub"]
      rewrite: {"^library/(.*)": "hub/$1"}
      fallback: false
    "*": {endpoint: ["https://mirror.lan:5000"]}
  configs:
    mirror.lan:5000:
      auth: {username: syncd, passwordFile: /etc/syncd/mirror}
      tls: {caFile: /etc/syncd/ca.pem, certFile: /c, keyFile: /k}
images: {archives: /var/lib/images}
`))
	if err != nil {
		t.Fatal(err)
	}
	m, c := h.Registries.Mirrors["docker.io"], h.Registries.Configs["mirror.lan:5000"]
	if !m.Alone() || m.Rewrite["^library/(.*)"] != "hub/$1" || len(m.Endpoint) != 2 || h.Registries.Mirrors["*"].Alone() || c.Auth.PasswordFile != "/etc/syncd/mirror" || h.Images.Archives != "/var/lib/images" {
		t.Errorf("read %+v, %+v", h.Registries, h.Images)
	}
}

func TestRegistriesThatCannotBe(t *testing.T) {
	for text, want := range map[string]string{
		"mirrors: {docker.io: {endpoint: [mirror.lan]}}":                      "want https://HOST[:PORT]",
		"mirrors: {docker.io: {endpoint: ['ftp://mirror.lan']}}":              "want https://HOST[:PORT]",
		"mirrors: {docker.io: {endpoint: ['https://joe:s3cret@mirror.lan']}}": "want https://HOST[:PORT]",
		"mirrors: {docker.io: {endpoint: ['https://mirror.lan/hub']}}":        "want https://HOST[:PORT]",
		"mirrors: {'https://docker.io': {}}":                                  `the name "https://docker.io" is not a registry's host`,
		"mirrors: {docker.io: {endpoint: ['https://m'], rewrite: {'(': a}}}":  `"(" is no regular expression`,
		"mirrors: {docker.io: {fallback: false}}":                             "has no endpoint",
		"mirrors: {docker.io: {endpoints: []}}":                               `unknown key "registries.mirrors.docker.io.endpoints"`,
		"configs: {m.lan: {auth: {username: a}}}":                             "one of username and passwordFile",
		"configs: {m.lan: {auth: {username: a, password: b}}}":                `unknown key "registries.configs.m.lan.auth.password"`,
		"configs: {m.lan: {tls: {certFile: /a}}}":                             "one of certFile and keyFile",
		"configs: {m.lan: {tls: {caFile: /a, insecureSkipVerify: true}}}":     "caFile is of no use",
		"configs: {'*': {}}": `the name "*" is not HOST`,
		"configs: {m.lan: {auth: {username: a, passwordFile: relative}}}":                  "want an absolute path",
		"mirrors: {docker.io: {endpoint: ['https://m'], rewrite: {'^a': 'https://else'}}}": "want a repository",
	} {
		_, err := DecodeHost("f", []byte("repo: {url: a}\nregistries:\n  "+text+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "f:3: ") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s\n%v\nwant %s", text, err, want)
		}
	}
}

// The examples of the page about images are ones that a user may copy.
func TestExamplesAboutImagesDecode(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "images.md"))
	if err != nil {
		t.Fatal(err)
	}
	examples := strings.Split(string(page), "```yaml\n# syncd.yaml")[1:]
	for i, block := range examples {
		text, _, _ := strings.Cut(block, "```")
		if _, err := DecodeHost("syncd.yaml", []byte(text)); err != nil {
			t.Errorf("example %d: %v", i+1, err)
		}
	}
	if len(examples) < 2 {
		t.Errorf("%d examples", len(examples))
	}
}
