package compose

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// minSecret is the length from which on a secret value is looked for inside
// other text: shorter ones ("1", "yes") would be found everywhere. In messages
// they are masked where they are a whole value.
const minSecret = 4

// rejected makes an error of the class Rejected; an empty hint adds none.
func rejected(hint, format string, args ...any) error {
	return classified(fault.Rejected, hint, fmt.Errorf(format, args...))
}

func classified(class fault.Class, hint string, err error) error {
	err = fault.As(class, err)
	if hint == "" {
		return err
	}
	return fault.Hint(err, hint)
}

// message is what a library said, in a form that may be shown: paths relative
// to the repository, no secret values, no control characters, bounded.
func message(err error, base string, secrets []string) string {
	text := err.Error()
	text = strings.ReplaceAll(text, base+"/", "")
	text = strings.ReplaceAll(text, base, ".")
	text = masked(text, secrets)
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, text)
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "") + "…"
	}
	return text
}

// joined puts several errors into one: what the app's author can mend comes
// before what blocks it, each with its own hint, and the list is bounded.
func joined(errs []error) error {
	var sorted []error
	for _, class := range []fault.Class{fault.Rejected, fault.Blocked} {
		for _, err := range errs {
			if fault.Of(err) == class {
				sorted = append(sorted, err)
			}
		}
	}
	for _, err := range errs {
		if c := fault.Of(err); c != fault.Rejected && c != fault.Blocked {
			return err
		}
	}
	if len(sorted) == 1 {
		return sorted[0]
	}
	sorted = sorted[:min(len(sorted), maxProblems)]
	for i, err := range sorted {
		sorted[i] = withHint(err)
	}
	return errors.Join(sorted...)
}

// withHint writes an error's hint behind its text: as a line of several it would
// lose it.
func withHint(err error) error {
	hint := fault.Advice(err)
	if hint == "" {
		return err
	}
	return fault.As(fault.Of(err), errors.New(err.Error()+" ("+hint+")")) // without the chain, which would say it again
}

// masked takes the secrets out of text, as they are and as %q writes them.
func masked(text string, secrets []string) string {
	for _, s := range secrets {
		text = maskOne(text, s)
		if quoted := strconv.Quote(s); quoted != `"`+s+`"` {
			text = maskOne(text, quoted[1:len(quoted)-1])
		}
	}
	return text
}

func maskOne(text, secret string) string {
	if len(secret) >= minSecret {
		return strings.ReplaceAll(text, secret, resource.Mask)
	}
	value := regexp.MustCompile("([\"'`=]|: )" + regexp.QuoteMeta(secret) + "([\"'`,:)\\s]|$)")
	return value.ReplaceAllString(text, "${1}"+resource.Mask+"${2}")
}
