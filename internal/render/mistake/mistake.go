// Package mistake makes the errors of rendering: classified, with a hint, without
// what must not be shown.
package mistake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"syncd.io/syncd/internal/fault"
)

// Bounds of what an error says.
const (
	MaxMessage  = 2000 // bytes of one error message
	MaxProblems = 10   // errors reported at once
)

// Rejected makes an error of the class Rejected; an empty hint adds none.
func Rejected(hint, format string, args ...any) error {
	return Classified(fault.Rejected, hint, fmt.Errorf(format, args...))
}

// Classified makes an error of a class; an empty hint adds none.
func Classified(class fault.Class, hint string, err error) error {
	err = fault.As(class, err)
	if hint == "" {
		return err
	}
	return fault.Hint(err, hint)
}

// Message is what a library said, in a form that may be shown: paths relative
// to the repository, no secret values, no control characters, bounded.
func Message(err error, base string, secrets []string) string {
	text := err.Error()
	text = strings.ReplaceAll(text, base+"/", "")
	text = strings.ReplaceAll(text, base, ".")
	text = Masked(text, secrets)
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, text)
	if len(text) > MaxMessage {
		text = strings.ToValidUTF8(text[:MaxMessage], "") + "…"
	}
	return text
}

// Joined puts several errors into one: what the app's author can mend comes
// before what blocks it, each with its own hint, and the list is bounded.
func Joined(errs []error) error {
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
	sorted = sorted[:min(len(sorted), MaxProblems)]
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

// Final takes secret values out of an error, whatever brought them in, and keeps
// its class and its hint. What ended with its context is passed on as it is.
func Final(err error, secrets []string) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	text, hint := Masked(err.Error(), secrets), Masked(fault.Advice(err), secrets)
	if text == err.Error() && hint == fault.Advice(err) {
		return err
	}
	return Classified(fault.Of(err), hint, errors.New(text))
}

// Secrets are the values of the given names, longest first, so that masking one
// leaves no rest of another.
func Secrets(values map[string]string, names []string) []string {
	var out []string
	for _, name := range names {
		if v := values[name]; v != "" {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(x, y string) int { return cmp.Or(len(y)-len(x), cmp.Compare(x, y)) })
	return out
}
