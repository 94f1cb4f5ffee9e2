package kube

import (
	"context"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// The labels that say whose an object is, and the annotation that keeps it from
// being removed.
const (
	LabelManagedBy = "app.kubernetes.io/managed-by"
	LabelApp       = "syncd.io/app"
	LabelAgent     = "syncd.io/agent"
	KeepAnnotation = "syncd.io/prune"
)

// maxObject is what an API server takes in one request: etcd's limit.
const maxObject = 1536 << 10

// wanted is one wanted object with its place on the API server.
type wanted struct {
	object   resource.Object
	manifest *unstructured.Unstructured
	kind     kind
	hash     string
}

// decoded reads an object's manifest.
func decoded(o resource.Object) (*unstructured.Unstructured, error) {
	tree := map[string]any{}
	if err := json.Unmarshal(o.Spec, &tree); err != nil {
		return nil, fault.As(fault.Rejected, fmt.Errorf("%s: read its manifest: %w", o.Key, err))
	}
	return &unstructured.Unstructured{Object: tree}, nil
}

// wanted finds the kind of a wanted object, and labels it as ours.
func (t *Target) wanted(ctx context.Context, o resource.Object) (*wanted, error) {
	if len(o.Spec) > maxObject {
		err := fmt.Errorf("%s has %d bytes, and an API server takes %d", o.Key, len(o.Spec), maxObject)
		return nil, fault.Hint(fault.As(fault.Rejected, err), "split it, or mount the data from a volume")
	}
	u, err := decoded(o)
	if err != nil {
		return nil, err
	}
	k, err := t.engine.kinds.find(ctx, u.GroupVersionKind())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Key, err)
	}
	if !k.namespaced && o.Key.Namespace != "" {
		err := fmt.Errorf("%s: the cluster has no namespaces for %s", o.Key, k.gvr.Resource)
		return nil, fault.Hint(fault.As(fault.Rejected, err), "say so beside it: metadata.annotations: {syncd.io/scope: Cluster}")
	}
	if k.namespaced && o.Key.Namespace == "" {
		err := fmt.Errorf("%s: the cluster keeps %s in namespaces, and it names none", o.Key, k.gvr.Resource)
		return nil, fault.Hint(fault.As(fault.Rejected, err), "give it a metadata.namespace, or leave syncd.io/scope out")
	}
	labels := u.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[LabelManagedBy], labels[LabelApp], labels[LabelAgent] = Manager, t.app, t.engine.agent
	u.SetLabels(labels)
	encodeSecret(o.Key, u)
	return &wanted{object: o, manifest: u, kind: k, hash: o.Hash()}, nil
}

// client is the place that an object of this kind and namespace is reached at.
func (id *identity) client(k kind, namespace string) dynamic.ResourceInterface {
	if k.namespaced {
		return id.dynamic.Resource(k.gvr).Namespace(namespace)
	}
	return id.dynamic.Resource(k.gvr)
}

func (id *identity) at(w *wanted) dynamic.ResourceInterface {
	return id.client(w.kind, w.manifest.GetNamespace())
}

// applyPatch is what a server-side apply is sent as: JSON is YAML, too.
const applyPatch = types.ApplyPatchType

// applying are the options of a server-side apply: what Git says wins, and a field
// that the kind does not have is an error.
func applying(dry bool) metav1.PatchOptions {
	force := true
	out := metav1.PatchOptions{FieldManager: Manager, Force: &force, FieldValidation: metav1.FieldValidationStrict}
	if dry {
		out.DryRun = []string{metav1.DryRunAll}
	}
	return out
}
