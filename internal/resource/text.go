package resource

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Harmless returns text that is safe to print on any terminal and in any page's
// text: control characters (ANSI escapes among them), invisible and
// direction-changing marks and bytes that are not UTF-8 are gone, line breaks
// and tabs became spaces, and it has at most limit bytes, the last of them an
// ellipsis where it was cut.
func Harmless(text string, limit int) string {
	var b strings.Builder
	for len(text) > 0 && b.Len() <= limit {
		r, size := utf8.DecodeRuneInString(text)
		if skip := escape(text); skip > 0 {
			size, r = skip, utf8.RuneError
		}
		text = text[size:]
		if r == '\n' || r == '\t' || r == '\r' {
			r = ' '
		}
		if r != utf8.RuneError && !invisible(r) {
			b.WriteRune(r)
		}
	}
	return cut(strings.TrimSpace(b.String()), limit)
}

// HarmlessLines is Harmless for text of several lines: those that are not blank
// stay apart, each of them harmless, joined by "\n", without their indentation;
// all together have at most limit bytes.
func HarmlessLines(text string, limit int) string {
	var lines []string
	left := limit
	for line := range strings.Lines(text) {
		if left < len(ellipsis) {
			break
		}
		if line = Harmless(line, left); line != "" {
			lines = append(lines, line)
			left -= len(line) + 1
		}
	}
	return strings.Join(lines, "\n")
}

// escape returns the length of the ANSI control sequence at the beginning of
// text, 0 where there is none: dropping only the ESC would leave "[31m" behind.
func escape(text string) int {
	if !strings.HasPrefix(text, "\x1b[") {
		return 0
	}
	for i := 2; i < len(text) && i < 64; i++ {
		if text[i] >= 0x40 && text[i] <= 0x7e {
			return i + 1
		}
	}
	return 2
}

// invisible covers Cc and Cf (direction marks, zero-width characters), and the
// separators and surrogates that terminals treat as line ends or noise.
func invisible(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs)
}

const ellipsis = "…"

// cut shortens s to limit bytes at a rune's border.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	end := max(0, limit-len(ellipsis))
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + ellipsis
}
