package helm

import (
	"context"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// maxLookups bounds how many different ones are remembered, for a note.
const maxLookups = 5

// lookups stands for a cluster that has nothing, and remembers what it was asked.
type lookups struct{ asked []string }

// GetClientFor implements the engine's way to a cluster.
func (l *lookups) GetClientFor(_, kind string) (dynamic.NamespaceableResourceInterface, bool, error) {
	return nothing{all: l, kind: kind}, true, nil
}

func (l *lookups) sorted() []string {
	slices.Sort(l.asked)
	return l.asked
}

func (l *lookups) add(what string) {
	if len(l.asked) < maxLookups && !slices.Contains(l.asked, what) {
		l.asked = append(l.asked, what)
	}
}

// nothing is a kind of which there is no object.
type nothing struct {
	dynamic.NamespaceableResourceInterface // what templates never call

	all             *lookups
	kind, namespace string
}

// Namespace narrows what is asked for.
func (n nothing) Namespace(name string) dynamic.ResourceInterface {
	n.namespace = name
	return n
}

// Get finds nothing.
func (n nothing) Get(_ context.Context, name string, _ metav1.GetOptions, _ ...string) (*unstructured.Unstructured, error) {
	return nil, n.absent(name)
}

// List finds nothing.
func (n nothing) List(context.Context, metav1.ListOptions) (*unstructured.UnstructuredList, error) {
	return nil, n.absent("")
}

func (n nothing) absent(name string) error {
	parts := []string{n.kind, n.namespace, name}
	n.all.add(strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), "/"))
	return apierrors.NewNotFound(schema.GroupResource{Resource: n.kind}, name)
}
