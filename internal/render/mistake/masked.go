package mistake

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"syncd.io/syncd/internal/resource"
)

// MinSecret is the length from which on a secret value is looked for inside
// other text: shorter ones ("1", "yes") would be found everywhere. In messages
// they are masked where they are a whole value.
const MinSecret = 4

// Masked takes the secrets out of text, in all forms in which it may have them, and
// each line of those that have several: a message most often shows one. Whoever cuts a
// text masks it first.
func Masked(text string, secrets []string) string {
	var long, short []string
	for _, s := range secrets {
		for _, form := range forms(s) {
			if len(form) >= MinSecret {
				long = append(long, form)
			}
		}
		if s != "" && len(s) < MinSecret {
			short = append(short, s, inQuotes(s))
		}
	}
	slices.SortFunc(long, func(x, y string) int { return cmp.Or(len(y)-len(x), cmp.Compare(x, y)) })
	for _, form := range slices.Compact(long) {
		text = strings.ReplaceAll(text, form, resource.Mask)
	}
	for _, s := range slices.Compact(short) {
		value := regexp.MustCompile("([\"'`=]|: )" + regexp.QuoteMeta(s) + "([\"'`,:)\\s]|$)")
		text = value.ReplaceAllString(text, "${1}"+resource.Mask+"${2}")
	}
	return text
}

// forms are how a secret may stand in a text: as it is, in one line, as its lines, in
// quotes of several kinds, and as a Secret has it.
func forms(secret string) []string {
	plain := append(linesOf(secret), secret, strings.TrimSpace(secret), strings.Join(strings.Fields(secret), " "))
	var out []string
	if len(secret) >= MinSecret {
		out = append(out, base64.StdEncoding.EncodeToString([]byte(secret)))
	}
	for _, form := range plain {
		out = append(out, form, inQuotes(form), strings.ReplaceAll(form, "'", "''"))
		if encoded, err := json.Marshal(form); err == nil {
			out = append(out, string(encoded[1:len(encoded)-1]))
		}
	}
	return out
}

// inQuotes is a text as %q writes it, without the quotes.
func inQuotes(text string) string {
	quoted := strconv.Quote(text)
	return quoted[1 : len(quoted)-1]
}

// linesOf are the lines of a secret that has several, without those that begin or end
// a block of PEM, and those without a letter or a digit: they are no secret.
func linesOf(secret string) []string {
	if !strings.Contains(secret, "\n") {
		return nil
	}
	var out []string
	for line := range strings.Lines(secret) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "-----") && strings.ContainsFunc(line, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
			out = append(out, line)
		}
	}
	return out
}
