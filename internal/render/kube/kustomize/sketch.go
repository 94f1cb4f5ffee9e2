package kustomize

import (
	"strings"

	"go.yaml.in/yaml/v4"
	"sigs.k8s.io/kustomize/api/types"

	"syncd.io/syncd/internal/render/syntax"
)

// Uses returns the paths that a kustomization is built of, as written, and whether
// it is a component, which is nothing by itself. What cannot be read is made of
// nothing. Aliases (*name) are not spread out, and of what goes on for ever the
// beginning is enough.
func Uses(data []byte) (paths []string, component bool) {
	root, s := syntax.Root(data), sketch{left: maxSketch}
	for _, u := range usesOf(s.kustomization(root)) {
		if !remote(u.text) && !strings.Contains(u.text, "\n") {
			paths = append(paths, u.text)
		}
	}
	return paths, s.text(root, "kind") == types.ComponentKind
}

// sketch reads of a kustomization what names files and directories.
type sketch struct {
	left int // nodes that are still looked at
}

func (s *sketch) kustomization(root *yaml.Node) types.Kustomization {
	k := types.Kustomization{
		Resources: s.texts(root, "resources"), Components: s.texts(root, "components"),
		Crds: s.texts(root, "crds"), Configurations: s.texts(root, "configurations"),
		Generators: s.texts(root, "generators"), Transformers: s.texts(root, "transformers"), Validators: s.texts(root, "validators"),
	}
	k.Bases = s.texts(root, "bases") //nolint:staticcheck // deprecated, and in use
	k.OpenAPI = map[string]string{"path": s.text(s.below(root, "openapi"), "path")}
	for _, field := range []string{"patchesStrategicMerge", "patchesJson6902", "patches", "replacements"} {
		for _, entry := range s.list(root, field) {
			k.Patches = append(k.Patches, types.Patch{Path: s.text(entry, "path")})
		}
		for _, text := range s.texts(root, field) {
			k.Patches = append(k.Patches, types.Patch{Path: text})
		}
	}
	for _, entry := range append(s.list(root, "configMapGenerator"), s.list(root, "secretGenerator")...) {
		sources := types.KvPairSources{FileSources: s.texts(entry, "files"), EnvSources: s.texts(entry, "envs"), EnvSource: s.text(entry, "env")}
		k.ConfigMapGenerator = append(k.ConfigMapGenerator, types.ConfigMapArgs{GeneratorArgs: types.GeneratorArgs{KvPairSources: sources}})
	}
	return k
}

// below is what stands below a key; it may be merged in (<<).
func (s *sketch) below(n *yaml.Node, key string) *yaml.Node {
	if n = syntax.Target(n); n == nil || s.left < len(n.Content) {
		return nil
	}
	s.left -= len(n.Content) + 1
	_, value := syntax.Child(n, key)
	if _, merged := syntax.Child(n, "<<"); value == nil && merged != nil && key != "<<" {
		value = s.below(merged, key)
	}
	return syntax.Target(value)
}

// list are the entries of a list below a key.
func (s *sketch) list(n *yaml.Node, key string) []*yaml.Node {
	value := s.below(n, key)
	if value == nil || value.Kind != yaml.SequenceNode || s.left < len(value.Content) {
		return nil
	}
	s.left -= len(value.Content)
	return value.Content
}

// texts are those entries of a list that are text.
func (s *sketch) texts(n *yaml.Node, key string) []string {
	var out []string
	for _, entry := range s.list(n, key) {
		text := textOf(entry)
		if s.left -= len(text) / bytesOfNode; s.left < 0 {
			break
		}
		out = append(out, text)
	}
	return out
}

func (s *sketch) text(n *yaml.Node, key string) string {
	text := textOf(s.below(n, key))
	if s.left -= len(text) / bytesOfNode; s.left < 0 {
		return ""
	}
	return text
}

// textOf is what a node says; "" where it is no text.
func textOf(n *yaml.Node) string {
	if n = syntax.Target(n); n == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}
