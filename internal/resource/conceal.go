package resource

import (
	"slices"
	"strings"
)

// Concealer masks secret values in texts that others have written. Longer ones go
// first, for one may be part of another; those shorter than ShortestSecret are not
// looked for.
func Concealer(secrets []string) *strings.Replacer {
	sorted := slices.SortedFunc(slices.Values(secrets), func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, s := range sorted {
		if s = strings.TrimSpace(s); len(s) >= ShortestSecret {
			pairs = append(pairs, s, Mask)
		}
	}
	return strings.NewReplacer(pairs...)
}
