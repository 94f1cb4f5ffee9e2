package kube

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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
	// secrets are values that may be anywhere in it, and that no message shows.
	secrets []string
}

// parse reads the manifests of a file. Whatever could take long or take much
// memory later on is rejected here. Empty documents are passed over.
func parse(file string, data []byte) ([]manifest, error) {
	docs, err := syntax.Documents(file, data)
	if err != nil {
		return nil, err
	}
	var out []manifest
	for _, d := range docs {
		if d.Root.Kind != yaml.MappingNode {
			return nil, mistake.Rejected("a manifest begins with apiVersion and kind", "%s:%d: the document is no mapping of keys to values", file, max(d.Root.Line, 1))
		}
		tree, err := treeOf(d.Text)
		if err != nil {
			return nil, mistake.Rejected("", "%s:%d: the document cannot be read: %s", file, d.Root.Line, err.Error())
		}
		out = append(out, manifest{source: file, lines: true, node: d.Root, tree: tree})
	}
	return out, nil
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
