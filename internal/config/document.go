package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Bounds of a configuration file. Nothing that people write comes near them.
const (
	maxFile  = 1 << 20
	maxDepth = 16
)

// parse returns the root of the file's only document, nil where the file is
// empty. What is wrong with the file as a whole is added to p.
func parse(p *problems, data []byte) *yaml.Node {
	if len(data) > maxFile {
		p.add(1, "a configuration file holds settings only", "the file has %d bytes: more than the limit of %d", len(data), maxFile)
		return nil
	}
	if !utf8.Valid(data) {
		p.add(invalidLine(data), "save the file as UTF-8", "the file is not UTF-8 text")
		return nil
	}
	return document(p, yaml.NewDecoder(bytes.NewReader(data)))
}

func document(p *problems, dec *yaml.Decoder) *yaml.Node {
	var first, second yaml.Node
	switch err := dec.Decode(&first); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		syntax(p, err)
		return nil
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		p.add(second.Line, "keep the first, or split them into files", "a second YAML document begins here: want exactly one")
		return nil
	case !errors.Is(err, io.EOF):
		syntax(p, err)
		return nil
	}
	root := first.Content[0]
	if root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null" {
		return nil
	}
	if !plain(p, root, 0) {
		return nil
	}
	return root
}

// plain tells whether the tree uses nothing but mappings, lists and untagged
// scalars, in reasonable depth: aliases are how a small file becomes a huge one.
func plain(p *problems, n *yaml.Node, depth int) bool {
	switch {
	case depth > maxDepth:
		p.add(n.Line, "", "the file is nested deeper than %d levels", maxDepth)
		return false
	case n.Kind == yaml.AliasNode:
		p.add(n.Line, "write the value out", "YAML aliases (*%s) are not allowed here", n.Value)
		return false
	case n.Style&yaml.TaggedStyle != 0:
		p.add(n.Line, "remove the tag", "YAML tags (%s) are not allowed here", n.Tag)
		return false
	}
	for _, child := range n.Content {
		if !plain(p, child, depth+1) {
			return false
		}
	}
	return true
}

// syntax turns the parser's "yaml: line 3: what" into a problem on that line. It
// counts lines from 0 where the grammar is wrong, and says no line 0.
func syntax(p *problems, err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		if number, what, ok := strings.Cut(rest, ": "); ok {
			if n, err := strconv.Atoi(number); err == nil {
				line, text = n, what
			}
			if grammar(text) {
				line++
			}
		}
	}
	p.add(line, advise(text), "not valid YAML: %s", text)
}

// grammar tells what the parser's second stage says from what its first says.
func grammar(text string) bool {
	return regexp.MustCompile(`^did not find expected (key|node content|<document start>|'-' indicator|',' or)`).MatchString(text)
}

func advise(text string) string {
	switch {
	case strings.Contains(text, "mapping values are not allowed"):
		return `put a value that holds ": " in quotes, and check the indentation`
	case strings.Contains(text, "alphabetic or numeric character"):
		return "put a value that begins with * in quotes"
	case strings.Contains(text, "cannot start any token"):
		return "indent with spaces, not with tabs, and put the value in quotes"
	default:
		return "check the indentation and the quotes around this line"
	}
}

func invalidLine(data []byte) int {
	line := 1
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError && size <= 1 {
			return line
		}
		if r == '\n' {
			line++
		}
		data = data[size:]
	}
	return line
}
