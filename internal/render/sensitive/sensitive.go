// Package sensitive finds what must not be shown in what is rendered, whatever it
// is rendered from.
package sensitive

import (
	"strings"

	"syncd.io/syncd/internal/render/mistake"
	"syncd.io/syncd/internal/resource"
)

// Text tells whether a text must not be shown, whatever it is called: its form says
// so, or it holds one of secrets.
func Text(text string, secrets []string) bool {
	return text != "" && !resource.SecretFlag(text) && (resource.SecretValue(text) || assigns(text) || holds(text, secrets))
}

// holds tells whether a text contains a secret value. Short ones must be the whole
// text: "1" is in everything.
func holds(text string, secrets []string) bool {
	for _, s := range secrets {
		if text == s || (len(s) >= mistake.MinSecret && strings.Contains(text, s)) {
			return true
		}
	}
	return false
}

// assigns finds PASSWORD=x and --token=x in a command or an option list.
func assigns(text string) bool {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' || r == '&' || r == ';' || r == '\n' || r == '\t' }) {
		name, value, ok := strings.Cut(word, "=")
		if ok && value != "" && resource.SecretName(name) {
			return true
		}
	}
	return false
}
