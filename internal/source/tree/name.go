// Package tree judges what a repository holds before any of it is written: the
// names of its entries, where its links lead, and how much there is. It is pure.
package tree

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Name judges one entry's name below one directory. An error means that the
// whole commit is refused: Git itself never writes such a name, so only an
// attack does (CVE-2014-9390, CVE-2019-1352 and their kin).
func Name(name string) error {
	switch {
	case name == "" || name == "." || name == "..":
		return fmt.Errorf("an entry is named %q", name)
	case strings.ContainsAny(name, "/\\\x00"):
		return fmt.Errorf("the entry name %q has a slash, a backslash or a NUL", name)
	case gitDir(name):
		return fmt.Errorf("the entry %q would be a repository's own directory", name)
	}
	return nil
}

// gitDir tells whether some file system takes name for .git: letter case, NTFS
// short names, trailing dots, blanks and streams, code points that HFS+ ignores.
func gitDir(name string) bool {
	plain := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, name)
	plain, _, _ = strings.Cut(plain, ":")
	plain = strings.ToLower(strings.TrimRight(plain, ". "))
	return plain == ".git" || plain == "git~1"
}

// Plain tells whether a name can be shown and stored as it is: UTF-8 without
// control characters.
func Plain(name string) bool {
	return utf8.ValidString(name) && !strings.ContainsFunc(name, hidden)
}

func hidden(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }

// Escaped returns a name that Plain accepts: what cannot be shown stands as \xNN,
// which is unambiguous because Name allows no backslash.
func Escaped(name string) string {
	if Plain(name) {
		return name
	}
	var b strings.Builder
	for len(name) > 0 {
		r, size := utf8.DecodeRuneInString(name)
		if r == utf8.RuneError && size <= 1 || hidden(r) {
			for _, c := range []byte(name[:size]) {
				fmt.Fprintf(&b, "\\x%02x", c)
			}
		} else {
			b.WriteString(name[:size])
		}
		name = name[size:]
	}
	return b.String()
}
