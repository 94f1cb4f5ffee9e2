package resource

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestHarmless(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain", "fix: the port", "fix: the port"},
		{"umlauts stay", "größer ✓ 日本", "größer ✓ 日本"},
		{"ansi", "\x1b[31mred\x1b[0m", "red"},
		{"bare escape", "a\x1b]0;title\x07b", "a]0;titleb"},
		{"unfinished sequence", "x\x1b[", "x"},
		{"right to left", "user\u202etxt.exe", "usertxt.exe"},
		{"zero width", "a\u200bb\ufeffc", "abc"},
		{"line breaks", "one\r\ntwo\tthree", "one  two three"},
		{"line separator", "a\u2028b", "ab"},
		{"not utf-8", "a\xff\xfeb", "ab"},
		{"nul", "a\x00b", "ab"},
		{"blank", " \n\t ", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Harmless(c.in, 100); got != c.want {
				t.Errorf("Harmless(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
}

func TestHarmlessLines(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"one", "a", "a"},
		{"two", "a\nb", "a\nb"},
		{"windows", "a\r\nb\r\n", "a\nb"},
		{"blank lines", "\n\na\n \t\n\nb\n", "a\nb"},
		{"harmful", "a\x1b[31m\n\u202eb\u2028c\x85d\x00", "a\nbcd"},
		{"overwriting a line", "good\rbad\x1b[2K\v\f!", "good bad!"},
		{"nothing", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := HarmlessLines(c.in, 100); got != c.want {
				t.Errorf("HarmlessLines(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
	for limit := range 30 {
		if got := HarmlessLines(strings.Repeat("日本\n", 1000), limit); len(got) > max(limit, len("…")) || !utf8.ValidString(got) {
			t.Errorf("limit %d gave %d bytes: %q", limit, len(got), got)
		}
	}
}

func TestHarmlessIsBounded(t *testing.T) {
	for limit := range 20 {
		got := Harmless(strings.Repeat("日", 1000), limit)
		if len(got) > max(limit, len("…")) || !utf8.ValidString(got) {
			t.Errorf("limit %d gave %d bytes: %q", limit, len(got), got)
		}
	}
	if got := Harmless("abcdefgh", 6); got != "abc…" {
		t.Errorf("got %q, want abc…", got)
	}
}
