package mistake

import (
	"errors"
	"strings"
	"testing"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

const key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADAN'Bgkqhki\n  G9w0 \"BAQ\" EFAAS\n\n-----END PRIVATE KEY-----\n"

// A secret of several lines is masked as a whole and line by line, in the forms that
// messages and templates give it.
func TestASecretIsMaskedInEveryForm(t *testing.T) {
	secrets := []string{key, "two  blanks-hunter2", "it's-hunter2", "yes"}
	for text, want := range map[string]string{
		"got " + key + ".":                       "got (secret).",
		"line 2: MIIEvQIBADAN'Bgkqhki, no more":  "line 2: (secret), no more",
		`("G9w0 \"BAQ\" EFAAS")`:                 `("(secret)")`,
		`"MIIEvQIBADAN''Bgkqhki"`:                `"(secret)"`,
		`'it''s-hunter2' and it's-hunter2`:       `'(secret)' and (secret)`,
		"was two blanks-hunter2":                 "was (secret)",
		"password: " + "aXQncy1odW50ZXIy" + "\n": "password: (secret)\n",
		"-----BEGIN PRIVATE KEY-----":            "-----BEGIN PRIVATE KEY-----",
		`"yes" and yesterday`:                    `"(secret)" and yesterday`,
	} {
		if got := Masked(text, secrets); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// A hint is masked where the error itself says nothing.
func TestAHintShowsNoSecret(t *testing.T) {
	err := Final(Rejected("take hunter2 out", "wrong"), []string{"hunter2"})
	if got := fault.Advice(err); got != "take "+resource.Mask+" out" || fault.Of(err) != fault.Rejected {
		t.Errorf("hint %q of %v", got, err)
	}
	long := Message(errors.New(strings.Repeat("x", MaxMessage-3)+"hunter2"), "/none", []string{"hunter2"})
	if strings.Contains(long, "hun") {
		t.Errorf("half of it is left: %s", long[MaxMessage-10:])
	}
}
