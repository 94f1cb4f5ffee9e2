package kube

import (
	"slices"

	"syncd.io/syncd/internal/resource"
)

// scopes are the scopes of the kinds that the app itself defines, true for those
// that have no namespace.
type scopes map[groupKind]bool

// groupKind is a kind whatever its version.
type groupKind struct{ group, kind string }

// defined reads the definitions among the manifests.
func defined(manifests []manifest) scopes {
	out := scopes{}
	for _, m := range manifests {
		group, _ := groupVersion(text(m.tree["apiVersion"]))
		if group != "apiextensions.k8s.io" || text(m.tree["kind"]) != "CustomResourceDefinition" {
			continue
		}
		spec := mapping(m.tree["spec"])
		of := groupKind{text(spec["group"]), text(mapping(spec["names"])["kind"])}
		out[of] = text(spec["scope"]) == "Cluster"
	}
	return out
}

// mapping is a value that should be a mapping; nil where it is not.
func mapping(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

// annotationScope says whether a custom resource has a namespace where nobody else
// here knows: Cluster or Namespaced.
const annotationScope = "syncd.io/scope"

// clusterWide tells whether an object has no namespace: a built-in kind says so, or
// its definition beside it, or the object's own annotation, or what is known of
// widely used operators. Anything else has one: that is what most kinds do, and a
// cluster that knows better refuses it by name.
func (s scopes) clusterWide(m manifest, of groupKind) (bool, error) {
	if resource.BuiltIn(of.group) {
		return slices.Contains(clusterKinds(), of.kind), nil
	}
	if cluster, ok := s[of]; ok {
		return cluster, nil
	}
	switch said := m.annotation(annotationScope); said {
	case "Cluster":
		return true, nil
	case "Namespaced":
		return false, nil
	case "":
	default:
		return false, m.reject([]string{"metadata", "annotations", annotationScope}, "", "%q is neither Cluster nor Namespaced", m.shown(said))
	}
	known := wellKnown()[of.group]
	return slices.Contains(known, of.kind) || slices.Contains(known, "*"), nil
}

// annotation is the value of an annotation; "" where there is none.
func (m manifest) annotation(name string) string {
	return text(mapping(mapping(m.tree["metadata"])["annotations"])[name])
}

// place gives the object its namespace, and returns its slot.
func (a *app) place(m manifest, s scopes) (resource.Key, error) {
	group, _ := groupVersion(text(m.tree["apiVersion"]))
	kind, metadata := text(m.tree["kind"]), mapping(m.tree["metadata"])
	key := resource.Key{Kind: resource.KindOf(group, kind), Name: text(metadata["name"])}
	cluster, err := s.clusterWide(m, groupKind{group, kind})
	if err != nil {
		return key, err
	}
	if cluster {
		if written := text(metadata["namespace"]); written != "" {
			a.note("%s: %s is left out: a %s has no namespace", m.about("metadata", "namespace"), m.shown(written), m.shown(kind))
		}
		delete(metadata, "namespace")
		return key, nil
	}
	if key.Namespace = text(metadata["namespace"]); key.Namespace == "" {
		key.Namespace = a.namespace
		metadata["namespace"] = key.Namespace
	}
	return key, nil
}
