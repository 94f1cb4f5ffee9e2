package kube

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	apiwatch "k8s.io/apimachinery/pkg/watch"
)

// showing is by what a watch is known to have shown all that there is: by a bookmark;
// where the API server gives none, by how many there are due; where they do not come, by
// a list before it.
type showing int

const (
	byMark showing = iota
	byCount
	byList
)

// begin begins a watch of one object, or one that shows all that is there and marks
// the end of that with a bookmark. An API server without such marks (before 1.32, told
// so, or with an etcd before 3.4.25) begins one that has shown all when as many as are
// due were shown, and at last is asked for a list, and for a watch of what comes after it.
func (f *follow) begin(ctx context.Context, how showing) (apiwatch.Interface, error) {
	switch {
	case f.name != "":
		return f.watch(ctx, byMark, metav1.ListOptions{FieldSelector: "metadata.name=" + f.name, ResourceVersion: "0"})
	case how == byMark:
		yes := true
		return f.watch(ctx, how, metav1.ListOptions{
			LabelSelector: f.selector, ResourceVersion: "0", ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
			SendInitialEvents: &yes, AllowWatchBookmarks: true,
		})
	case how == byCount:
		return f.watch(ctx, how, metav1.ListOptions{LabelSelector: f.selector, ResourceVersion: "0"})
	}
	there, err := f.all(ctx, metav1.ListOptions{LabelSelector: f.selector, ResourceVersion: "0"})
	if err != nil {
		return nil, err
	}
	w, err := f.watch(ctx, how, metav1.ListOptions{LabelSelector: f.selector, ResourceVersion: there.GetResourceVersion()})
	if err == nil {
		f.settle(there.Items)
	}
	return w, err
}

// watch begins a watch. What was shown counts until it has shown all: between two
// watches nothing is gone.
func (f *follow) watch(ctx context.Context, how showing, o metav1.ListOptions) (apiwatch.Interface, error) {
	w, err := f.place.Watch(ctx, o)
	if err == nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.how, f.next, f.err = how, map[types.UID]*unstructured.Unstructured{}, nil
	}
	return w, err
}

// expect notes how many there are by who makes them, which a watch without a mark is to
// show.
func (f *follow) expect(due int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.due = due
	f.enough()
}

// enough lets what was shown count where it is as many as are due and no mark will come.
// The caller holds the lock.
func (f *follow) enough() {
	if f.how == byCount && f.next != nil && len(f.next) >= f.due {
		f.counts(f.next)
	}
}

// all lists what is there.
func (f *follow) all(ctx context.Context, o metav1.ListOptions) (there *unstructured.UnstructuredList, err error) {
	err = f.engine.bounded(ctx, func(ctx context.Context) error {
		there, err = f.place.List(ctx, o)
		return err
	})
	return there, err
}
