package find

import "strings"

// flow is how far a mapping in braces, as JSON has it, was read. A repository may have
// any number of files of data: each is gone through once, and nothing of it is kept.
type flow struct {
	text, key string
	at, depth int
	// begins tells that a text may begin here with a quote, names that a key of the
	// first level does, named that the last text was the key that is looked for.
	begins, names, named bool
}

// flowKey tells whether such a mapping has a key on its first level. False for whole
// where the text is cut off, or holds something else too.
func flowKey(text, key string) (found, whole bool) {
	f := flow{text: text, key: key}
	for f.at < len(text) {
		if f.depth == 1 && f.named && text[f.at] == ':' {
			found = true
		}
		if f.step(); f.depth == 0 && strings.TrimSpace(text[:f.at]) != "" {
			return found, blank(text[f.at:])
		}
	}
	return false, false
}

// step goes over what comes next: a mark, a remark, or a text.
func (f *flow) step() {
	switch c := f.text[f.at]; c {
	case ' ', '\t', '\r', '\n':
		f.at++
	case '{', '[':
		f.depth++
		f.mark(c == '{')
	case '}', ']':
		f.depth--
		f.mark(false)
	case ',':
		f.mark(true)
	case ':':
		f.mark(false)
	case '#':
		if line := strings.IndexByte(f.text[f.at:], '\n'); line >= 0 {
			f.at += line
			return
		}
		f.at = len(f.text)
	default:
		f.word()
	}
}

// mark goes over a mark; a key may stand behind it.
func (f *flow) mark(key bool) {
	f.at++
	f.begins, f.names, f.named = true, key && f.depth == 1, false
}

// word goes over a text, with or without quotes.
func (f *flow) word() {
	rest := f.text[f.at:]
	end := bare(rest)
	said := strings.TrimSpace(rest[:end])
	if c := rest[0]; f.begins && (c == '"' || c == '\'') {
		end = quoted(rest, c)
		said = rest[1:max(1, end-1)]
	}
	f.at += end
	f.named = f.names && said == f.key
	f.begins, f.names = false, false
}

// quoted is how long the text in quotes is that begins here.
func quoted(text string, quote byte) int {
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && quote == '"':
			i++
		case text[i] == quote && quote == '\'' && strings.HasPrefix(text[i+1:], "'"):
			i++
		case text[i] == quote:
			return i + 1
		}
	}
	return len(text)
}

// bare is how long the text without quotes is that begins here: up to a mark or a
// remark. A colon is a mark where something else than text follows it.
func bare(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case ',', '[', ']', '{', '}':
			return i
		case ':':
			if i+1 == len(text) || strings.IndexByte(" \t\r\n,[]{}", text[i+1]) >= 0 {
				return i
			}
		case '#':
			if strings.IndexByte(" \t\r\n", text[i-1]) >= 0 {
				return i
			}
		}
	}
	return len(text)
}
