package compose

import (
	"regexp"
	"strings"
	"unicode"
)

// strictEnv rewrites an env file so that a plain reference to nothing is an
// error: in its values $A and ${A} mean ${A?}. What is no value stays as it is:
// names, comments, and what stands in '…'. The file is taken apart as dotenv
// does, which keeps the rest of the work.
func (v *variables) strictEnv(text string) string {
	var out strings.Builder
	for text != "" {
		rest, value := cutName(text)
		out.WriteString(text[:len(text)-len(rest)])
		if text = rest; !value {
			continue
		}
		written, rest := cutValue(text)
		switch {
		case strings.HasPrefix(written, "'"):
			out.WriteString(written)
		case strings.HasPrefix(written, `"`):
			out.WriteString(required(quotedReference(), written))
		default:
			out.WriteString(required(v.plain, written))
		}
		text = rest
	}
	return out.String()
}

// required makes ${A?} of each plain reference that the pattern finds.
func required(pattern *regexp.Regexp, text string) string {
	return pattern.ReplaceAllStringFunc(text, func(ref string) string {
		m := pattern.FindStringSubmatch(ref)
		if name := m[1] + m[2]; name != "" {
			return "${" + name + "?}"
		}
		return ref
	})
}

// quotedReference is plainReference for what stands in "…", where a backslash
// takes the next character's meaning away.
func quotedReference() *regexp.Regexp {
	return regexp.MustCompile(`(?s)\\.|` + plainReference().String())
}

// cutName returns what follows the next comment or name, and whether it is that
// name's value.
func cutName(text string) (rest string, value bool) {
	text = strings.TrimLeftFunc(text, unicode.IsSpace)
	stops := "=:\n"
	if strings.HasPrefix(text, "#") {
		stops = "\n"
	}
	i := strings.IndexAny(text, stops)
	if i < 0 {
		return "", false
	}
	return strings.TrimLeftFunc(text[i+1:], blank), text[i] != '\n'
}

// blank is what dotenv takes for a blank within a line.
func blank(r rune) bool { return strings.ContainsRune("\t\v\f\r \u0085\u00a0", r) }

// cutValue returns the value that the text begins with, its quotes among it, and
// what follows.
func cutValue(text string) (written, rest string) {
	if text == "" || text[0] != '\'' && text[0] != '"' {
		line, _, _ := strings.Cut(text, "\n")
		written, _, _ = strings.Cut(line, " #")
		return written, text[len(written):]
	}
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case text[0]:
			return text[:i+1], text[i+1:]
		}
	}
	return text, "" // dotenv says that it has no end
}
