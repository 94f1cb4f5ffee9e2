package helm

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"syncd.io/syncd/internal/render/kube/document"
)

// Annotations of Helm's that mean something here.
const (
	hookAnnotation   = "helm.sh/hook"
	weightAnnotation = "helm.sh/hook-weight"
	policyAnnotation = "helm.sh/resource-policy"
)

// pruneAnnotation is ours: the object is removed with consent only.
const pruneAnnotation = "syncd.io/prune"

// head is what has to be known of a document before it is an object.
type head struct {
	kind, name  string
	annotations map[string]string
}

func headOf(root *yaml.Node) head {
	metadata := field(root, "metadata")
	h := head{kind: text(field(root, "kind")), name: text(field(metadata, "name")), annotations: map[string]string{}}
	annotations := field(metadata, "annotations")
	if annotations == nil || annotations.Kind != yaml.MappingNode {
		return h
	}
	for i := 0; i+1 < len(annotations.Content); i += 2 {
		h.annotations[annotations.Content[i].Value] = text(annotations.Content[i+1])
	}
	return h
}

// field is what a mapping has under a key; nil where it has none.
func field(node *yaml.Node, key string) *yaml.Node {
	if node == nil || node.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			value := node.Content[i+1]
			if value.Kind == yaml.AliasNode {
				return value.Alias
			}
			return value
		}
	}
	return nil
}

func text(node *yaml.Node) string {
	switch {
	case node == nil:
		return ""
	case node.Kind == yaml.AliasNode:
		return node.Alias.Value
	}
	return node.Value
}

// hook says when a document is applied. False where it is left out, and a note
// where that, or a part of what it asks for, is worth saying.
func hook(doc *document.Document, h head) (use bool, note string) {
	asked, is := h.annotations[hookAnnotation]
	if !is {
		return true, ""
	}
	pre, post, others := moments(asked)
	what := fmt.Sprintf("%s %s, a hook for %s,", h.kind, h.name, asked)
	switch {
	case pre:
		doc.Hook = "pre"
	case post:
		doc.Hook = "post"
	default:
		return false, what + " is left out"
	}
	if weight, err := strconv.Atoi(h.annotations[weightAnnotation]); err == nil { // Helm takes what is no number for 0
		doc.Weight = weight
	}
	switch {
	case pre && post:
		return true, what + " runs before the others only"
	case len(others) > 0:
		return true, what + " does not run for " + strings.Join(others, ", ")
	}
	return true, ""
}

// moments sorts what a hook is for: before everything, after it, or at times that
// there are none of here.
func moments(asked string) (pre, post bool, others []string) {
	for moment := range strings.SplitSeq(asked, ",") {
		moment = strings.ToLower(strings.TrimSpace(moment))
		switch {
		case slices.Contains([]string{"pre-install", "pre-upgrade"}, moment):
			pre = true
		case slices.Contains([]string{"post-install", "post-upgrade"}, moment):
			post = true
		default:
			others = append(others, moment)
		}
	}
	return pre, post, others
}

// kept tells whether Helm would leave the object when the release goes.
func kept(annotations map[string]string) bool {
	return strings.ToLower(strings.TrimSpace(annotations[policyAnnotation])) == "keep" && annotations[pruneAnnotation] == ""
}

// keep says of the object in our words too that it is not to be removed. Everything
// else stays as it is written.
func keep(root *yaml.Node) ([]byte, error) {
	annotations := field(field(root.Content[0], "metadata"), "annotations")
	key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: pruneAnnotation}
	value := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "keep"}
	annotations.Content = append(annotations.Content, key, value)
	return encode(root)
}
