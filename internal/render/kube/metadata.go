package kube

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/validate/content"
)

// maxAnnotations is how many bytes the annotations of one object may have together,
// names and values: the API server's own limit.
const maxAnnotations = 256 << 10

// check judges what every manifest must have, and makes it what may be sent: what
// only a server says is left out. All that is wrong comes together.
func (a *app) check(m manifest) []error {
	if err := m.checkType(); err != nil {
		return []error{err}
	}
	delete(m.tree, "status")
	metadata := mapping(m.tree["metadata"])
	if metadata == nil {
		return []error{m.reject([]string{"metadata"}, "", "missing, or no mapping")}
	}
	errs := m.checkName(metadata)
	a.dropServers(m, metadata)
	a.dropOurs(m, metadata)
	for _, field := range []string{"labels", "annotations"} {
		errs = append(errs, m.checkTexts(metadata, field)...)
	}
	if len(errs) == 0 {
		errs = appendError(errs, m.checkAnnotations())
	}
	errs = appendError(errs, a.addLabels(m, metadata))
	if of := text(m.tree["kind"]); of == "Secret" && text(m.tree["apiVersion"]) == "v1" {
		errs = append(errs, m.checkSecret()...)
	}
	forgetCreation(m.tree)
	return errs
}

func appendError(errs []error, err error) []error {
	if err == nil {
		return errs
	}
	return append(errs, err)
}

// checkType judges apiVersion and kind.
func (m manifest) checkType() error {
	for _, field := range []string{"apiVersion", "kind"} {
		switch value, ok := m.tree[field].(string); {
		case m.tree[field] == nil:
			return m.reject([]string{field}, "a manifest says apiVersion, kind and metadata.name", "missing")
		case !ok || value == "":
			return m.reject([]string{field}, "", "want text")
		}
	}
	apiVersion, kind := text(m.tree["apiVersion"]), text(m.tree["kind"])
	group, version := groupVersion(apiVersion)
	if strings.Contains(version, "/") || len(content.IsDNS1123Label(version)) > 0 || group != "" && len(content.IsDNS1123Subdomain(group)) > 0 || strings.HasPrefix(apiVersion, "/") {
		return m.reject([]string{"apiVersion"}, "", "%q is neither VERSION nor GROUP/VERSION", m.shown(apiVersion))
	}
	if len(content.IsDNS1123Label(strings.ToLower(kind))) > 0 {
		return m.reject([]string{"kind"}, "", "%q is no kind", m.shown(kind))
	}
	return nil
}

// checkName judges the name and the namespace.
func (m manifest) checkName(metadata map[string]any) []error {
	var errs []error
	if metadata["generateName"] != nil {
		errs = append(errs, m.reject([]string{"metadata", "generateName"}, "give it a metadata.name: what is kept equal to Git has to have one", "not supported"))
	}
	group, _ := groupVersion(text(m.tree["apiVersion"]))
	switch name, ok := metadata["name"].(string); {
	case metadata["name"] == nil && len(errs) == 0:
		errs = append(errs, m.reject([]string{"metadata", "name"}, "", "missing"))
	case metadata["name"] == nil:
	case !ok:
		errs = append(errs, m.reject([]string{"metadata", "name"}, "put it in quotes", "want text"))
	default:
		if bad := wrongName(groupKind{group, text(m.tree["kind"])}, name); bad != "" {
			errs = append(errs, m.reject([]string{"metadata", "name"}, "", "%q: %s", m.shown(name), bad))
		}
	}
	switch namespace, ok := metadata["namespace"].(string); {
	case metadata["namespace"] == nil || ok && namespace == "":
		delete(metadata, "namespace")
	case !ok:
		errs = append(errs, m.reject([]string{"metadata", "namespace"}, "put it in quotes", "want text"))
	default:
		if bad := isLabel(namespace); bad != "" {
			errs = append(errs, m.reject([]string{"metadata", "namespace"}, "", "%q: %s", m.shown(namespace), bad))
		}
	}
	return errs
}

// dropServers leaves out what only a server says: an object that was read from a
// cluster and committed has it.
func (a *app) dropServers(m manifest, metadata map[string]any) {
	for _, field := range []string{"uid", "resourceVersion", "generation", "managedFields", "selfLink", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"} {
		if metadata[field] != nil {
			a.note("%s is left out: only a cluster says it", m.about("metadata", field))
		}
		delete(metadata, field)
	}
}

// forgetCreation leaves out `creationTimestamp: null`, which Kubernetes' own tools
// write into every metadata, and which means nothing.
func forgetCreation(v any) {
	switch v := v.(type) {
	case map[string]any:
		if metadata := mapping(v["metadata"]); metadata != nil {
			if stamp, there := metadata["creationTimestamp"]; there && stamp == nil {
				delete(metadata, "creationTimestamp")
			}
		}
		for _, value := range v {
			forgetCreation(value)
		}
	case []any:
		for _, value := range v {
			forgetCreation(value)
		}
	}
}

// checkTexts judges labels or annotations. One without a value has an empty one.
func (m manifest) checkTexts(metadata map[string]any, field string) []error {
	if metadata[field] == nil {
		delete(metadata, field)
		return nil
	}
	at := []string{"metadata", field}
	entries, ok := metadata[field].(map[string]any)
	if !ok {
		return []error{m.reject(at, "", "want a mapping of names to values")}
	}
	var errs []error
	size := 0
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		if entries[name] == nil {
			entries[name] = ""
		}
		value, ok := entries[name].(string)
		here := append(slices.Clone(at), name)
		size += len(name) + len(value)
		wrong := content.IsLabelKey(name)
		switch {
		case !ok:
			errs = append(errs, m.reject(here, "put the value in quotes", "want text"))
		case field == "annotations":
			wrong = content.IsLabelKey(strings.ToLower(name))
		default:
			wrong = append(wrong, content.IsLabelValue(value)...)
		}
		if len(wrong) > 0 {
			errs = append(errs, m.reject(here, "", "%s", strings.Join(wrong, ", ")))
		}
	}
	if field == "annotations" && size > maxAnnotations {
		errs = append(errs, m.reject(at, "", "%d bytes are more than %d", size, maxAnnotations))
	}
	return errs
}

// dropOurs leaves out the labels and annotations that say whose an object is: syncd
// puts them itself.
func (a *app) dropOurs(m manifest, metadata map[string]any) {
	ours := map[string][]string{
		"labels":      {"app.kubernetes.io/managed-by", prefix + "app", prefix + "agent"},
		"annotations": {annotationHash, "kubectl.kubernetes.io/last-applied-configuration"},
	}
	for _, field := range slices.Sorted(maps.Keys(ours)) {
		entries, ok := metadata[field].(map[string]any)
		if !ok {
			continue
		}
		for _, name := range ours[field] {
			if _, there := entries[name]; there && name != "app.kubernetes.io/managed-by" { // every chart says that one
				a.note("%s is left out: whoever applies the object says it", m.about("metadata", field, name))
			}
			delete(entries, name)
		}
		if len(entries) == 0 {
			delete(metadata, field)
		}
	}
}

// addLabels puts the app's labels on the object, which may not say otherwise.
func (a *app) addLabels(m manifest, metadata map[string]any) error {
	common := a.req.App.Config.Kubernetes.Labels
	for _, name := range slices.Sorted(maps.Keys(common)) {
		labels := mapping(metadata["labels"])
		if labels == nil {
			if metadata["labels"] != nil {
				return nil // which is an error already
			}
			labels = map[string]any{}
			metadata["labels"] = labels
		}
		if written, there := labels[name]; there && written != common[name] {
			return m.reject([]string{"metadata", "labels", name}, "take the label out of one of them", "%q, and `kubernetes.labels` of %s says %q", m.shown(text(written)), a.settings(), common[name])
		}
		labels[name] = common[name]
	}
	return nil
}

// checkSecret judges a Secret's values without showing them.
func (m manifest) checkSecret() []error {
	var errs []error
	for _, field := range []string{"data", "stringData"} {
		entries, ok := m.tree[field].(map[string]any)
		if m.tree[field] != nil && !ok {
			errs = append(errs, m.reject([]string{field}, "", "want a mapping of names to values"))
		}
		for _, name := range slices.Sorted(maps.Keys(entries)) {
			value, ok := entries[name].(string)
			_, bad := base64.StdEncoding.DecodeString(strings.NewReplacer("\r", "", "\n", "").Replace(value))
			switch {
			case entries[name] == nil:
			case !ok:
				errs = append(errs, m.reject([]string{field, name}, "put the value in quotes", "want text"))
			case field == "data" && bad != nil:
				errs = append(errs, m.reject([]string{field, name}, "write the value itself below stringData", "not Base64"))
			}
		}
	}
	return errs
}
