package resource_test

import (
	"strings"
	"testing"

	"syncd.io/syncd/internal/resource"
)

// Of a key in several lines the first may be cut off, as from a log of which only the
// last lines are kept: each that nobody would write by chance is masked by itself.
func TestALineOfASecretIsMaskedByItself(t *testing.T) {
	key := "-----BEGIN PRIVATE KEY-----\nQUJDREVGR0hJSktMTU5PUFFSU1Q=\n  hunter2 and more\r\n========\nshort\n-----END PRIVATE KEY-----\n"
	conceal := resource.Concealer([]string{key, "one line"})
	for text, want := range map[string]string{
		"got " + strings.TrimSpace(key) + ", no more":                    "got " + resource.Mask + ", no more",
		"a QUJDREVGR0hJSktMTU5PUFFSU1Q= b":                               "a " + resource.Mask + " b",
		"it was hunter2 and more, short":                                 "it was " + resource.Mask + ", short",
		"=========================":                                      "=========================",
		"-----BEGIN PRIVATE KEY-----":                                    "-----BEGIN PRIVATE KEY-----",
		"QUJDREVGR0hJSktMTU5PUFFSU1Q=\n-----END PRIVATE KEY-----\nended": resource.Mask + "\n-----END PRIVATE KEY-----\nended",
		"in one line": "in " + resource.Mask,
	} {
		if got := conceal.Replace(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// A secret that is a whole file is no key: its lines are not looked for.
func TestTheLinesOfALongSecretAreNotLookedFor(t *testing.T) {
	file := strings.Repeat("listen = 0.0.0.0:8080\n", 4000)
	if got := resource.Concealer([]string{file}).Replace("listen = 0.0.0.0:8080"); got != "listen = 0.0.0.0:8080" {
		t.Errorf("got %q", got)
	}
}
