package drift

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"syncd.io/syncd/internal/resource"
)

// Secrets returns every secret value of a spec, as Masked would replace it: for
// text in which a program may have repeated one. A URL with credentials also
// gives its password alone, and a command line what stands behind its flags.
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
			out = append(out, d.gather(at.item(i, v), inner)...)
		}
	case string:
		if d.hidden(at, v) {
			out = append(out, v)
		}
		out = append(out, credentials(v)...)
	}
	return out
}

// credentials returns the secrets within a text: passwords of URLs, and what
// follows the name of a secret in a command line or a header.
func credentials(text string) []string {
	words := strings.Fields(text)
	var out []string
	for i, word := range words {
		out = append(out, password(word)...)
		switch name, value, set := strings.Cut(word, "="); {
		case set && resource.SecretName(name):
			out = append(out, strings.Trim(value, `"'`))
		case !resource.SecretFlag(word) || i+1 == len(words):
		case strings.HasSuffix(word, ":"):
			return append(out, strings.Join(words[i+1:], " "))
		default:
			out = append(out, strings.Trim(words[i+1], `"'`))
		}
	}
	return slices.DeleteFunc(out, func(s string) bool { return s == "" })
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
