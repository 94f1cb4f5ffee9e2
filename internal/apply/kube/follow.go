package kube

import (
	"context"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	apiwatch "k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"

	"syncd.io/syncd/internal/nap"
)

// follow is a watch of a few objects, from whatever state the API server has at
// hand: one request shows what is there and what becomes of it. It may begin with a
// state that is a little old, and comes to the newest by itself.
type follow struct {
	place          dynamic.ResourceInterface
	fields, labels string
	news           *news

	mu    sync.Mutex // guards what follows
	items map[types.UID]*unstructured.Unstructured
	err   error
	// old tells that items are those of the watch before.
	old bool
	// shown is closed when something was shown, or the watch was refused.
	shown chan struct{}
	once  sync.Once
}

// rewatch is the pause before a watch that failed is begun again.
const rewatch = 500 * time.Millisecond

func newFollow(place dynamic.ResourceInterface, fields, labels string, news *news) *follow {
	return &follow{place: place, fields: fields, labels: labels, news: news, items: map[types.UID]*unstructured.Unstructured{}, shown: make(chan struct{})}
}

// run watches until ctx ends.
func (f *follow) run(ctx context.Context) {
	for ctx.Err() == nil {
		w, err := f.place.Watch(ctx, metav1.ListOptions{FieldSelector: f.fields, LabelSelector: f.labels, ResourceVersion: "0"})
		if err == nil {
			f.anew()
			f.hear(ctx, w)
			w.Stop()
		} else {
			f.fail(err)
		}
		if nap.For(ctx, rewatch) != nil {
			return
		}
	}
}

// first waits until something was shown, for a while.
func (f *follow) first(ctx context.Context) error {
	timer := time.NewTimer(firstShow)
	defer timer.Stop()
	select {
	case <-f.shown:
	case <-timer.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// hear takes in what a watch shows, until it ends.
func (f *follow) hear(ctx context.Context, w apiwatch.Interface) {
	quiet := time.NewTimer(firstShow)
	defer quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-quiet.C:
			f.settle()
		case e, open := <-w.ResultChan():
			if !open {
				return
			}
			if u, ok := e.Object.(*unstructured.Unstructured); ok && e.Type != apiwatch.Bookmark && e.Type != apiwatch.Error {
				f.take(e.Type, u)
			} else if e.Type == apiwatch.Error {
				if err := apierrors.FromObject(e.Object); !apierrors.IsGone(err) && !apierrors.IsResourceExpired(err) { // history that is too old: the next watch begins anew
					f.fail(err)
				}
				return
			}
		}
	}
}

func (f *follow) take(what apiwatch.EventType, u *unstructured.Unstructured) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refresh()
	if what == apiwatch.Deleted {
		delete(f.items, u.GetUID())
	} else {
		f.items[u.GetUID()] = u
	}
	f.once.Do(func() { close(f.shown) })
	f.news.tell()
}

// anew lets what was shown count until the new watch shows something: between two
// watches nothing is gone.
func (f *follow) anew() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.old, f.err = true, nil
}

// refresh forgets what the watch before has shown. The caller holds the lock.
func (f *follow) refresh() {
	if f.old {
		clear(f.items)
		f.old = false
	}
}

// settle forgets what the watch before has shown where the new one shows nothing.
func (f *follow) settle() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refresh()
	f.news.tell()
}

func (f *follow) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
	f.news.tell()
	if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
		f.once.Do(func() { close(f.shown) })
	}
}

// list returns what is there now, or why that is not known.
func (f *follow) list() ([]unstructured.Unstructured, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return nil, f.err
	}
	out := make([]unstructured.Unstructured, 0, len(f.items))
	for _, u := range f.items {
		out = append(out, *u)
	}
	return out, nil
}
