package drift

import (
	"encoding/json"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"syncd.io/syncd/internal/resource"
)

// maxShown bounds one value in a report, in bytes.
const maxShown = 200

// showBoth returns two values as short, harmless texts. Where they are long and
// begin alike, what is alike is left out: else both would look the same.
func showBoth(want, live any) (string, string) {
	w, l := text(want), text(live)
	if max(len(w), len(l)) > maxShown {
		if n := alike(w, l); n > context {
			from := n - context
			for from > 0 && !utf8.RuneStart(w[from]) {
				from--
			}
			w, l = "…"+w[from:], "…"+l[from:]
		}
	}
	return Harmless(w), Harmless(l)
}

// context is how much of what two long values have in common is shown, in bytes.
const context = 40

func alike(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// text returns a value in one form: texts as they are, numbers as written, the
// rest as JSON, nothing as an empty text.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return quoteEmpty(shortDigest(v))
	case json.Number:
		return v.String()
	}
	raw, err := resource.Canonical(v)
	if err != nil { // a decoded tree always encodes
		return "(unreadable)"
	}
	return string(raw)
}

// span returns nanoseconds as people write a span of time: 1.5s.
func span(v any) string {
	if number, ok := v.(json.Number); ok {
		if n, err := number.Int64(); err == nil {
			return time.Duration(n).String()
		}
	}
	return Harmless(text(v))
}

// shortDigest cuts an image ID to what people compare.
func shortDigest(s string) string {
	const algorithm, digits = "sha256:", 12
	if len(s) == len(algorithm)+64 && strings.HasPrefix(s, algorithm) {
		return s[:len(algorithm)+digits]
	}
	return s
}

func quoteEmpty(s string) string {
	if s == "" {
		return `""`
	}
	return s
}

func masked(v any) string {
	if v == nil {
		return ""
	}
	return resource.Mask
}

// Harmless returns text that cannot steer a terminal or a reader: control and
// format characters become '?', and it is cut at 200 bytes.
func Harmless(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) || r == unicode.ReplacementChar {
			return '?'
		}
		return r
	}, s)
	if len(s) <= maxShown {
		return s
	}
	cut := maxShown
	for cut > 0 && s[cut]&0xC0 == 0x80 {
		cut--
	}
	return s[:cut] + "…"
}
