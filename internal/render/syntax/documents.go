package syntax

import (
	"bytes"
	"errors"
	"io"

	"go.yaml.in/yaml/v4"

	"syncd.io/syncd/internal/render/mistake"
)

// Document is one YAML document of a stream, checked: it is within the bounds, and
// no mapping of it has a key twice.
type Document struct {
	// Root is its content, with the lines of the stream.
	Root *yaml.Node
	// Line is where it begins, Text what stands there.
	Line int
	Text []byte
}

// Documents reads a stream; documents that are empty are passed over. Errors are
// Rejected and name file and line.
func Documents(file string, data []byte) ([]Document, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if err := Text(file, data); err != nil {
		return nil, err
	}
	var out []Document
	for _, p := range split(data) {
		root, err := p.read(file)
		if err != nil {
			return nil, err
		}
		if root == nil {
			continue
		}
		if out = append(out, Document{Root: root, Line: p.line, Text: p.text}); len(out) > maxDocuments {
			return nil, mistake.Rejected("", "%s: more than %d YAML documents", file, maxDocuments)
		}
	}
	return out, nil
}

// read reads one document; nil where it is empty.
func (p part) read(file string) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(p.text))
	var node yaml.Node
	switch err := decoder.Decode(&node); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, InvalidFrom(file, p.line, err)
	}
	shift(&node, p.line-1)
	var second yaml.Node
	switch err := decoder.Decode(&second); {
	case err == nil:
		return nil, mistake.Rejected("begin each document with a line ---", "%s:%d: a document ends and the next begins without a line ---", file, p.line)
	case !errors.Is(err, io.EOF):
		return nil, InvalidFrom(file, p.line, err)
	}
	w := Walk{File: file}
	if err := w.Check(&node); err != nil {
		return nil, err
	}
	root := &node
	if node.Kind == yaml.DocumentNode && len(node.Content) == 1 {
		root = node.Content[0]
	}
	if root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null" {
		return nil, nil
	}
	return root, nil
}

// part is one document of a stream, and the line that it begins in.
type part struct {
	line int
	text []byte
}

// split cuts a stream where a line begins with ---. What stands before the first
// such line belongs to the first document where it is directives and comments.
func split(data []byte) []part {
	var out []part
	current, line := part{line: 1}, 0
	for text := range bytes.Lines(data) {
		line++
		if begins(text) && !onlyDirectives(current.text) {
			out = append(out, current)
			current = part{line: line}
		}
		current.text = append(current.text, text...)
	}
	return append(out, current)
}

func begins(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("---"))
	return ok && (len(rest) == 0 || bytes.ContainsAny(rest[:1], " \t\r\n"))
}

// onlyDirectives tells whether a text has a %YAML line, and no document yet.
func onlyDirectives(text []byte) bool {
	found := false
	for line := range bytes.Lines(text) {
		switch line = bytes.TrimSpace(line); {
		case bytes.HasPrefix(line, []byte("%")):
			found = true
		case len(line) > 0 && line[0] != '#':
			return false
		}
	}
	return found
}

// shift moves the lines of a document to where it stands in its file. What an
// alias stands for is moved where it is written.
func shift(n *yaml.Node, by int) {
	n.Line += by
	for _, c := range n.Content {
		shift(c, by)
	}
}
