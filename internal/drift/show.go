package drift

import (
	"encoding/json"
	"strings"
	"unicode"

	"syncd.io/syncd/internal/resource"
)

// maxShown bounds one value in a report, in bytes.
const maxShown = 200

// show returns a value as short, harmless text: no control characters, no
// right-to-left marks, cut at maxShown.
func show(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return Harmless(quoteEmpty(v))
	case json.Number:
		return v.String()
	}
	raw, err := resource.Canonical(v)
	if err != nil { // a decoded tree always encodes
		return "(unreadable)"
	}
	return Harmless(string(raw))
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
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
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
