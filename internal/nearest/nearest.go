// Package nearest finds the known word that somebody probably meant: a key, a
// verb, an app, a branch. It is a leaf: standard library only.
package nearest

import (
	"cmp"
	"slices"
	"strings"
)

// longest is how long a word may be to be compared, in bytes: nothing that has a
// name here is longer, and the work grows with the length.
const longest = 64

// Word returns the known word that is closest to word, or the empty string where
// none is close enough to be what was meant. Of several the first is taken. Case,
// - and _ do not count, and a word that somebody did not write to its end is
// close to the whole one.
func Word(word string, known []string) string {
	if len(word) > longest {
		return ""
	}
	best, least := "", max(2, len(word)/3)+1
	for _, candidate := range known {
		if d := distance(word, candidate); d < least && d < len(candidate) {
			best, least = candidate, d
		}
	}
	return best
}

// Few returns the known words, at most n, that are closest to word, however far
// they are: the closest first, equally close ones by name.
func Few(word string, known []string, n int) []string {
	type scored struct {
		name  string
		score int
	}
	all := make([]scored, 0, len(known))
	for _, name := range known {
		all = append(all, scored{name, distance(word, name)})
	}
	slices.SortFunc(all, func(a, b scored) int { return cmp.Or(cmp.Compare(a.score, b.score), cmp.Compare(a.name, b.name)) })
	out := make([]string, 0, n)
	for _, s := range all[:min(n, len(all))] {
		out = append(out, s.name)
	}
	return out
}

// distance is how far two words are from one another, in letters.
func distance(word, known string) int {
	a, b := fold(word), fold(known)
	if len(a) > 1 && len(a) < len(b) && strings.HasPrefix(b, a) {
		return 1
	}
	return levenshtein(a, b)
}

// fold leaves away what does not count, and what is too long.
func fold(s string) string {
	s = strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(s[:min(longest, len(s))]))
	return s[:min(longest, len(s))]
}

// levenshtein is how many letters to insert, delete or replace.
func levenshtein(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
