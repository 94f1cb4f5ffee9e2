package kube

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
	kyaml "sigs.k8s.io/yaml"

	"syncd.io/syncd/internal/render/mistake"
	"syncd.io/syncd/internal/render/syntax"
)

// manifest is one document, or one item of a List: as nodes, which know their
// lines, and as the tree that kubectl would read.
type manifest struct {
	source string
	// lines tells whether the nodes' lines are those of the source.
	lines  bool
	node   *yaml.Node
	tree   map[string]any
	hook   string
	weight int
}

// parse reads the documents of a file. Whatever could take long or take much
// memory later on is rejected here. Empty documents are passed over.
func parse(file string, data []byte) ([]manifest, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if err := syntax.Text(file, data); err != nil {
		return nil, err
	}
	var out []manifest
	for _, part := range split(data) {
		m, err := parseOne(file, part)
		if err != nil {
			return nil, err
		}
		if m == nil {
			continue
		}
		if out = append(out, *m); len(out) > maxDocuments {
			return nil, mistake.Rejected("", "%s: more than %d YAML documents", file, maxDocuments)
		}
	}
	return out, nil
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

// parseOne reads one document; nil where it is empty.
func parseOne(file string, p part) (*manifest, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(p.text))
	var node yaml.Node
	switch err := decoder.Decode(&node); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, syntax.InvalidFrom(file, p.line, err)
	}
	shift(&node, p.line-1)
	var second yaml.Node
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, mistake.Rejected("begin each document with a line ---", "%s:%d: a document ends and the next begins without a line ---", file, max(second.Line+p.line-1, p.line))
	}
	w := syntax.Walk{File: file}
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
	if root.Kind != yaml.MappingNode {
		return nil, mistake.Rejected("a manifest begins with apiVersion and kind", "%s:%d: the document is no mapping of keys to values", file, max(root.Line, 1))
	}
	tree, err := treeOf(p.text)
	if err != nil {
		return nil, mistake.Rejected("", "%s:%d: the document cannot be read: %s", file, root.Line, err.Error())
	}
	return &manifest{source: file, lines: true, node: root, tree: tree}, nil
}

// treeOf reads YAML as kubectl does, which takes yes and on for true, and 0644 for
// a number.
func treeOf(text []byte) (map[string]any, error) {
	raw, err := kyaml.YAMLToJSON(text)
	if err != nil {
		return nil, errors.New(plainYAML(err))
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var tree map[string]any
	if err := decoder.Decode(&tree); err != nil {
		return nil, fmt.Errorf("not an object: %w", err)
	}
	return tree, nil
}

// plainYAML drops lines that count from the document's beginning.
func plainYAML(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	return regexp.MustCompile(`(yaml|json): |line \d+: `).ReplaceAllString(text, "")
}

// shift moves the lines of a document to where it stands in its file. What an
// alias stands for is moved where it is written.
func shift(n *yaml.Node, by int) {
	n.Line += by
	for _, c := range n.Content {
		shift(c, by)
	}
}
