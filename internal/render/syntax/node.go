package syntax

import (
	"bytes"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Root is what the first document of a text holds, without its bounds being checked and
// without what its aliases stand for being spread out; nil where it cannot be read.
func Root(data []byte) *yaml.Node {
	var node yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(data)).Decode(&node); err != nil || len(node.Content) != 1 {
		return nil
	}
	return node.Content[0]
}

// Line is where a field is written: the nearest that is there, where it is not.
func Line(root *yaml.Node, path ...string) int {
	node, line := root, root.Line
	for _, key := range path {
		at, value := Child(node, key)
		if value == nil {
			break
		}
		node, line = value, at
	}
	return max(line, 1)
}

// Child returns what stands below a key, or at a place of a list, and its line; nil
// where nothing does. A key that is written exactly so goes before one that is in
// other letters.
func Child(n *yaml.Node, key string) (line int, value *yaml.Node) {
	n = Target(n)
	switch {
	case n == nil:
	case n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				return n.Content[i].Line, n.Content[i+1]
			}
			if value == nil && strings.EqualFold(n.Content[i].Value, key) {
				line, value = n.Content[i].Line, n.Content[i+1]
			}
		}
	case n.Kind == yaml.SequenceNode:
		if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(n.Content) {
			return n.Content[i].Line, n.Content[i]
		}
	}
	return line, value
}

// Target is what an alias stands for.
func Target(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}
