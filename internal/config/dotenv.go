package config

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// dotenv reads KEY=VALUE lines: comments, an export prefix, '...' taken as it
// stands, "..." with \n \r \t \" \\ \$, both over several lines. It is strict,
// because a value that two tools read differently is found out in production:
// nothing is expanded, and what would have to be is an error. An error names
// the line and never a value.
type dotenv struct {
	rest   string
	line   int
	values map[string]string
	lines  map[string]int
}

// lineError is what is wrong on one line of a dotenv file.
type lineError struct {
	line int
	text string
	hint string
}

// Error says what is wrong with the line, without its value.
func (e *lineError) Error() string { return e.text }

// parseDotenv returns the variables of a dotenv file.
func parseDotenv(data []byte) (map[string]string, *lineError) {
	if !utf8.Valid(data) {
		return nil, &lineError{line: invalidLine(data), text: "the file is not UTF-8 text", hint: "save the file as UTF-8"}
	}
	text := strings.TrimPrefix(strings.ReplaceAll(string(data), "\r\n", "\n"), "\ufeff")
	d := &dotenv{rest: text, line: 1, values: map[string]string{}, lines: map[string]int{}}
	for d.rest != "" {
		if err := d.statement(); err != nil {
			return nil, err
		}
	}
	return d.values, nil
}

// statement reads one line, or one variable with a value of several lines.
func (d *dotenv) statement() *lineError {
	d.rest = strings.TrimLeft(d.rest, " \t")
	if d.rest == "" || d.rest[0] == '\n' || d.rest[0] == '#' {
		d.skipLine()
		return nil
	}
	d.rest = strings.TrimPrefix(d.rest, "export ")
	end := strings.IndexAny(d.rest, "=\n")
	if end < 0 || d.rest[end] == '\n' {
		return d.fail("write KEY=VALUE; a name alone takes nothing from the environment", "there is no = on this line")
	}
	key := strings.Trim(d.rest[:end], " \t")
	if want := breaks("variable", key); want != "" {
		return d.fail("", "the name before = is not %s", want)
	}
	if first, double := d.lines[key]; double {
		return d.fail("remove one of them", "%s is set twice, first on line %d", key, first)
	}
	d.lines[key], d.rest = d.line, strings.TrimLeft(d.rest[end+1:], " \t")
	value, err := d.value(key)
	d.values[key] = value
	return err
}

func (d *dotenv) value(key string) (string, *lineError) {
	switch {
	case strings.HasPrefix(d.rest, "'"):
		return d.single(key)
	case strings.HasPrefix(d.rest, `"`):
		return d.double(key)
	default:
		return d.bare(key)
	}
}

// bare reads to the end of the line, or to a # after a blank.
func (d *dotenv) bare(key string) (string, *lineError) {
	text, _, _ := strings.Cut(d.rest, "\n")
	for i := range len(text) {
		if text[i] == '#' && (i == 0 || text[i-1] == ' ' || text[i-1] == '\t') {
			text = text[:i]
			break
		}
	}
	text = strings.Trim(text, " \t\r")
	if expands(text) {
		return "", d.expansion(key)
	}
	d.skipLine()
	return text, d.harmless(key, text)
}

func (d *dotenv) single(key string) (string, *lineError) {
	text, rest, ok := strings.Cut(d.rest[1:], "'")
	if !ok {
		return "", d.fail("", "the ' before the value of %s is never closed", key)
	}
	d.rest = rest
	return text, d.afterQuote(key, text)
}

func (d *dotenv) double(key string) (string, *lineError) {
	var out strings.Builder
	for i := 1; i < len(d.rest); i++ {
		switch c := d.rest[i]; {
		case c == '"':
			d.rest = d.rest[i+1:]
			return out.String(), d.afterQuote(key, out.String())
		case c == '\\':
			i++
			r, ok := escape(d.rest[i:])
			if !ok {
				return "", d.fail("put the value in single quotes to take it as it stands", "the value of %s has an unknown escape: want \\n, \\r, \\t, \\\", \\\\ or \\$", key)
			}
			out.WriteByte(r)
		case c == '$' && expands(d.rest[i:min(i+2, len(d.rest))]):
			return "", d.expansion(key)
		default:
			out.WriteByte(c)
		}
	}
	return "", d.fail("", "the \" before the value of %s is never closed", key)
}

// escape returns what the character after a backslash stands for.
func escape(s string) (byte, bool) {
	if s == "" {
		return 0, false
	}
	switch s[0] {
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case '"', '\\', '$':
		return s[0], true
	default:
		return 0, false
	}
}

// afterQuote skips the rest of the line, on which only a comment may stand.
func (d *dotenv) afterQuote(key, value string) *lineError {
	d.line += strings.Count(value, "\n")
	text, _, _ := strings.Cut(d.rest, "\n")
	if text = strings.TrimLeft(text, " \t\r"); text != "" && text[0] != '#' {
		return d.fail("", "there is text after the closing quote of %s", key)
	}
	d.skipLine()
	return d.harmless(key, value)
}

// expands tells whether Compose would replace something in text: $NAME, ${ or $$.
func expands(text string) bool {
	for i := range len(text) - 1 {
		if next := text[i+1]; text[i] == '$' && (next == '{' || next == '$' || next == '_' || next >= 'A' && next <= 'Z' || next >= 'a' && next <= 'z') {
			return true
		}
	}
	return false
}

func (d *dotenv) expansion(key string) *lineError {
	return d.fail("put the value in single quotes to take it as it stands, or write it out", "the value of %s refers to another variable: nothing is expanded here", key)
}

func (d *dotenv) harmless(key, value string) *lineError {
	if strings.ContainsRune(value, 0) {
		return d.fail("", "the value of %s holds a NUL character", key)
	}
	return nil
}

func (d *dotenv) skipLine() {
	_, d.rest, _ = strings.Cut(d.rest, "\n")
	d.line++
}

func (d *dotenv) fail(hint, format string, args ...any) *lineError {
	return &lineError{line: d.line, text: fmt.Sprintf(format, args...), hint: hint}
}
