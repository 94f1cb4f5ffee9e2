package drift

import (
	"encoding/json"
	"net/url"

	"syncd.io/syncd/internal/resource"
)

// Secrets returns every secret value of a spec, as Masked would replace it: for
// text in which a program may have repeated one. A URL with credentials also
// gives its password alone.
func Secrets(spec json.RawMessage, sensitive []string) []string {
	d := differ{sensitive: sensitive}
	return d.gather(spot{}, decode(spec))
}

func (d *differ) gather(at spot, v any) []string {
	var out []string
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			out = append(out, d.gather(at.field(name), inner)...)
		}
	case []any:
		for i, inner := range v {
			out = append(out, d.gather(at.item(i, inner), inner)...)
		}
	case string:
		if at.secret || secretWithin(v) || hasPrefix(at.pointer, d.sensitive) {
			out = append(out, v)
		}
		out = append(out, password(v)...)
	}
	return out
}

// password returns the password of a URL.
func password(text string) []string {
	if !resource.SecretValue(text) {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.User == nil {
		return nil
	}
	if secret, ok := u.User.Password(); ok {
		return []string{secret}
	}
	return nil
}
