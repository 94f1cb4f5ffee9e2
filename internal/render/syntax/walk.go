package syntax

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"syncd.io/syncd/internal/render/mistake"
)

// Bounds of YAML. Nothing that people write comes near them.
const (
	MaxDepth = 100     // levels
	MaxNodes = 200_000 // nodes, aliases spread out
	maxKeys  = 20_000  // keys of one mapping, which are compared with each other

	maxDocuments = 5000 // documents of one stream
)

// Text rejects what is no text.
func Text(file string, data []byte) error {
	switch {
	case !utf8.Valid(data):
		return mistake.Rejected("save the file as UTF-8", "%s: not UTF-8 text", file)
	case bytes.IndexByte(data, 0) >= 0:
		return mistake.Rejected("", "%s: the file holds a NUL byte", file)
	}
	return nil
}

// Walk bounds a document: depth, size with aliases spread out, duplicate keys.
type Walk struct {
	File string
	// Drop tells which values are removed, with their keys; nil removes none.
	Drop func(*yaml.Node) bool
	// Scalar is asked about every scalar; nil is not.
	Scalar func(*yaml.Node) error
	count  int
}

// Check goes through a document. Errors are Rejected and name file and line.
func (w *Walk) Check(n *yaml.Node) error { return w.node(n, 0) }

func (w *Walk) node(n *yaml.Node, depth int) error {
	if w.count++; w.count > MaxNodes {
		return mistake.Rejected("aliases (*name) count as often as they are used", "%s:%d: more than %d YAML nodes", w.File, n.Line, MaxNodes)
	}
	if depth > MaxDepth {
		return mistake.Rejected("", "%s:%d: more than %d levels", w.File, n.Line, MaxDepth)
	}
	switch n.Kind {
	case yaml.AliasNode:
		return w.node(n.Alias, depth+1)
	case yaml.ScalarNode:
		if w.Scalar == nil {
			return nil
		}
		return w.Scalar(n)
	case yaml.MappingNode:
		if err := w.mapping(n); err != nil {
			return err
		}
	case yaml.SequenceNode:
		n.Content = slices.DeleteFunc(n.Content, w.drops)
	}
	for _, c := range n.Content {
		if err := w.node(c, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (w *Walk) drops(n *yaml.Node) bool { return w.Drop != nil && w.Drop(n) }

func (w *Walk) mapping(n *yaml.Node) error {
	if len(n.Content)/2 > maxKeys {
		return mistake.Rejected("", "%s:%d: more than %d keys in one mapping", w.File, n.Line, maxKeys)
	}
	lines := map[string]int{}
	var kept []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if first, ok := lines[key.Value]; ok && key.Kind == yaml.ScalarNode {
			return mistake.Rejected("", "%s:%d: the key %q is there twice (first in line %d)", w.File, key.Line, key.Value, first)
		}
		lines[key.Value] = key.Line
		if !w.drops(value) {
			kept = append(kept, key, value)
		}
	}
	n.Content = kept
	return nil
}
