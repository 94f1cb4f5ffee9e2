package kube

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// concealer masks the secrets that an app has in what the cluster says of it: the
// host's own, and those of its Secrets, as they are written, as they are meant, and as they are
// sent.
func concealer(want []resource.Object, secrets []string) *strings.Replacer {
	all := slices.Clone(secrets)
	for _, o := range want {
		for _, s := range drift.Secrets(o.Spec, o.Sensitive) {
			all = append(all, s)
			if plain, err := base64.StdEncoding.DecodeString(s); err == nil && len(plain) > 0 {
				all = append(all, string(plain))
			}
			if o.Key.Kind == "Secret" {
				all = append(all, base64.StdEncoding.EncodeToString([]byte(s)))
			}
		}
	}
	return resource.Concealer(all)
}

// hide masks the app's secrets in a text.
func (t *Target) hide(text string) string {
	if text == "" {
		return ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conceal == nil {
		t.conceal = concealer(t.want, t.secrets)
	}
	return t.conceal.Replace(text)
}

// hidden masks the app's secrets in an error, which keeps its class and its hint.
func (t *Target) hidden(err error) error {
	if err == nil {
		return nil
	}
	text := t.hide(err.Error())
	if text == err.Error() {
		return err
	}
	out := fault.As(fault.Of(err), errors.New(text))
	if hint := fault.Advice(err); hint != "" {
		out = fault.Hint(out, t.hide(hint))
	}
	return out
}
