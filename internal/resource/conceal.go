package resource

import (
	"slices"
	"strings"
	"unicode"
)

// The bounds of the lines of a secret that are looked for by themselves: shorter ones
// are too common a text, and a longer secret is a file rather than a key. In bytes.
const (
	shortestLine = 8
	longestKey   = 64 << 10
)

// Concealer masks secret values in texts that others have written. Longer ones go
// first, for one may be part of another; those shorter than ShortestSecret are not
// looked for. Of a secret in several lines, each line is masked by itself, too: a text
// may have been cut between them.
func Concealer(secrets []string) *strings.Replacer {
	var all []string
	for _, s := range secrets {
		s = strings.TrimSpace(s)
		if all = append(all, s); len(s) <= longestKey && strings.Contains(s, "\n") {
			all = append(all, linesOf(s)...)
		}
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, s := range all {
		if len(s) >= ShortestSecret {
			pairs = append(pairs, s, Mask)
		}
	}
	return strings.NewReplacer(pairs...)
}

// linesOf returns those lines of a secret that nobody would write by chance: none that
// begins or ends a block of PEM, and none without a letter or a digit.
func linesOf(secret string) []string {
	var out []string
	for line := range strings.Lines(secret) {
		line = strings.TrimSpace(line)
		if len(line) >= shortestLine && !strings.HasPrefix(line, "-----") && strings.ContainsFunc(line, isWord) {
			out = append(out, line)
		}
	}
	return out
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
