package config

import "strings"

// Nearest returns the known word that is closest to word, or the empty string
// where none is close enough to be what was meant. Case, - and _ do not count.
func Nearest(word string, known []string) string {
	if len(word) > 40 { // no key is that long, and the work grows with its length
		return ""
	}
	best, least := "", max(2, len(word)/3)+1
	for _, candidate := range known {
		if d := distance(fold(word), fold(candidate)); d < least {
			best, least = candidate, d
		}
	}
	return best
}

func fold(s string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(s))
}

// distance is Levenshtein's: how many letters to insert, delete or replace.
func distance(a, b string) int {
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
