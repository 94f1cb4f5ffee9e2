package verify

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// unquoted takes what stands before the first blank outside quotes.
func unquoted(text string) (options, rest string, err error) {
	inside := false
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text) && text[i+1] == '"':
			i++
		case text[i] == '"':
			inside = !inside
		case text[i] == ' ' && !inside:
			return text[:i], strings.TrimLeft(text[i:], " "), nil
		}
	}
	if inside {
		return "", "", errors.New("a quote is not closed")
	}
	return text, "", nil
}

// read takes over a line's options: NAME or NAME="VALUE", with commas between.
func (l *line) read(options string) error {
	seen := map[string]bool{}
	for rest := options; ; {
		var name, value string
		var valued bool
		var err error
		if name, value, valued, rest, err = option(rest); err != nil {
			return err
		}
		name = strings.ToLower(name)
		if seen[name] {
			return fmt.Errorf("the option %s stands twice", name)
		}
		seen[name] = true
		if err := l.set(name, value, valued); err != nil {
			return err
		}
		if rest == "" {
			break
		}
	}
	if !l.after.IsZero() && !l.before.IsZero() && !l.after.Before(l.before) {
		return errors.New("valid-before is not after valid-after")
	}
	return nil
}

// option takes the first of the options; rest is empty at the end.
func option(text string) (name, value string, valued bool, rest string, err error) {
	end := strings.IndexAny(text, "=,")
	if end < 0 {
		return text, "", false, "", nil
	}
	name, rest = text[:end], text[end+1:]
	if text[end] == ',' {
		if rest == "" {
			err = errors.New("a comma ends the options")
		}
		return name, "", false, rest, err
	}
	quoted, ok := strings.CutPrefix(rest, `"`)
	if !ok {
		return name, "", true, "", fmt.Errorf("the value of the option %.40q is not in quotes", name)
	}
	end = strings.IndexByte(quoted, '"')
	if end < 0 || strings.Contains(quoted[:end], `\`) {
		return name, "", true, "", fmt.Errorf("the value of the option %.40q cannot be read", name)
	}
	value, rest = quoted[:end], quoted[end+1:]
	switch {
	case rest == "":
	case rest[0] != ',' || len(rest) == 1:
		err = fmt.Errorf("after the option %.40q stands %.40q", name, rest)
	default:
		rest = rest[1:]
	}
	return name, value, true, rest, err
}

func (l *line) set(name, value string, valued bool) (err error) {
	switch name {
	case "cert-authority":
		if valued {
			return errors.New("the option cert-authority has no value")
		}
		l.authority = true
		return nil
	case "namespaces":
		l.namespaces = strings.Split(value, ",")
	case "valid-after":
		l.after, err = timestamp(value)
	case "valid-before":
		l.before, err = timestamp(value)
	default:
		return fmt.Errorf("there is no option %.40q, and no public key; options are cert-authority, namespaces, valid-after and valid-before", name)
	}
	if !valued {
		return fmt.Errorf("the option %s has no value", name)
	}
	return err
}

// timestamp reads YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, in UTC where Z stands
// behind it, else in the time of this host.
func timestamp(text string) (time.Time, error) {
	zone, digits := time.Local, text
	if cut, ok := strings.CutSuffix(strings.ToUpper(text), "Z"); ok {
		zone, digits = time.UTC, cut
	}
	layout, ok := map[int]string{8: "20060102", 12: "200601021504", 14: "20060102150405"}[len(digits)]
	if ok && strings.Trim(digits, "0123456789") == "" {
		if t, err := time.ParseInLocation(layout, digits, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%.40q is no time such as 20260131, 202601311200 or 20260131120000Z", text)
}

// matches holds a word against a pattern list: * and ? stand for anything, and a
// pattern that begins with ! excludes what it matches.
func matches(patterns []string, word string) bool {
	found := false
	for _, p := range patterns {
		wanted, not := strings.CutPrefix(p, "!")
		if !like(wanted, word) {
			continue
		}
		if not {
			return false
		}
		found = true
	}
	return found
}

// like is a match with one pattern, in time that grows with the product of both
// lengths at most.
func like(pattern, word string) bool {
	p, w, star, mark := 0, 0, -1, 0
	for w < len(word) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, w
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == word[w]):
			p, w = p+1, w+1
		case star >= 0:
			mark++
			p, w = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
