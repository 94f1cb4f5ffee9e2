package compose

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"

	"syncd.io/syncd/internal/render/mistake"
	"syncd.io/syncd/internal/render/syntax"
)

// document is one YAML document of a file: as nodes, which know their lines, and
// as a tree.
type document struct {
	node *yaml.Node
	tree map[string]any
}

// parse reads the documents of a Compose file. Whatever could take long or take
// much memory later on is rejected here, in milliseconds.
func parse(file string, data []byte) ([]document, error) {
	nodes, err := parseNodes(file, data)
	if err != nil {
		return nil, err
	}
	docs := make([]document, len(nodes))
	for i, node := range nodes {
		docs[i].node = node
		if err := node.Decode(&docs[i].tree); err != nil {
			return nil, syntax.Invalid(file, err)
		}
	}
	return docs, nil
}

// parseNodes is parse without trees, which take the most time.
func parseNodes(file string, data []byte) ([]*yaml.Node, error) {
	if err := syntax.Text(file, data); err != nil {
		return nil, err
	}
	var nodes []*yaml.Node
	for decoder := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var node yaml.Node
		err := decoder.Decode(&node)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, syntax.Invalid(file, err)
		}
		root, err := checkedRoot(file, &node)
		if err != nil {
			return nil, err
		}
		if nodes = append(nodes, root); len(nodes) > maxDocuments {
			return nil, mistake.Rejected("", "%s: more than %d YAML documents", file, maxDocuments)
		}
	}
	if len(nodes) == 0 {
		return nil, mistake.Rejected("an empty file is never taken for an app without services", "%s: the file is empty", file)
	}
	return nodes, nil
}

// checkedRoot is the mapping that a document consists of.
func checkedRoot(file string, node *yaml.Node) (*yaml.Node, error) {
	references := templates{file: file}
	w := syntax.Walk{File: file, Drop: isReset, Scalar: references.scalar}
	if err := w.Check(node); err != nil {
		return nil, err
	}
	root := node
	if node.Kind == yaml.DocumentNode && len(node.Content) == 1 {
		root = node.Content[0]
	}
	if root.Kind != yaml.MappingNode {
		return nil, mistake.Rejected("a Compose file begins with keys such as `services:`", "%s:%d: the file is no mapping of keys to values", file, max(root.Line, 1))
	}
	return root, nil
}

func isReset(n *yaml.Node) bool { return n.Tag == "!reset" }

// templates bounds the references of a file.
type templates struct {
	file string
	work int
}

// scalar bounds the time of interpolation, which grows with the references
// times the length of their line.
func (w *templates) scalar(n *yaml.Node) error {
	if !strings.Contains(n.Value, "$") {
		return nil
	}
	work, nested := templateWork(n.Value)
	if w.work += work; w.work > maxTemplate || nested > maxNested {
		return mistake.Rejected("write $$ where a $ is meant", "%s:%d: too many ${…} in one value", w.file, n.Line)
	}
	return nil
}

// templateWork estimates the steps of interpolating text, and tells how deep
// its braces are nested.
func templateWork(text string) (work, nested int) {
	for line := range strings.SplitSeq(text, "\n") {
		work += strings.Count(line, "$") * len(line)
		nested = max(nested, strings.Count(line, "${")-strings.Count(line, "}"), nestedBraces(line))
	}
	return work, nested
}

func nestedBraces(line string) int {
	depth, most := 0, 0
	for i := range len(line) {
		switch {
		case line[i] == '{' && i > 0 && line[i-1] == '$':
			depth++
		case line[i] == '}' && depth > 0:
			depth--
		}
		most = max(most, depth)
	}
	return most
}

// strings and lists of a tree, whatever the file's author wrote there.

func mapAt(tree map[string]any, key string) map[string]any {
	m, _ := tree[key].(map[string]any)
	return m
}

// texts returns the strings of a string or of a list of strings.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, e := range v {
			if s, ok := e.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}
