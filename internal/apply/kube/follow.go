package kube

import (
	"context"
	"strings"
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

// follow is a watch of one object, or of a few, from whatever state the API server has
// at hand: one request shows what is there and what becomes of it. It may begin with a
// state that is a little old, and comes to the newest by itself. What it shows of
// several counts once it is all that there is, and goes on to count until the next
// watch has shown as much: a part of the pods would be judged as if the others were
// not there.
type follow struct {
	engine *Engine
	place  dynamic.ResourceInterface
	// name is that of the one object, selector selects the labels of several.
	name, selector string
	news           *news

	mu    sync.Mutex // guards what follows
	items map[types.UID]*unstructured.Unstructured
	// next is what the present watch has shown, nil once that is all.
	next map[types.UID]*unstructured.Unstructured
	// how tells by what the present watch is known to have shown all, due how many
	// there are by who makes them.
	how showing
	due int
	err error
	// gone is how what went last was then.
	gone *unstructured.Unstructured
	// whole is closed when all was shown once, or the watch is not allowed.
	whole chan struct{}
	once  sync.Once
	// shared is the watch that shows the object at first; nil where its own does.
	shared *joint
	at     string
	// parted is closed when it shows the object no more.
	parted  chan struct{}
	parting sync.Once
}

// The follow's clocks: the pause before a watch that failed is begun again, and how
// long one may take to show all that there is until it is listed.
const (
	rewatch = 500 * time.Millisecond
	showAll = 10 * time.Second
)

func newFollow(engine *Engine, place dynamic.ResourceInterface, name, selector string, news *news) *follow {
	return &follow{engine: engine, place: place, name: name, selector: selector, news: news, whole: make(chan struct{}), parted: make(chan struct{})}
}

// join lets a joint watch show the object, which is at namespace/name, at first.
func (f *follow) join(j *joint, at string) {
	f.next = map[types.UID]*unstructured.Unstructured{}
	if j.admit(at, f) {
		f.shared, f.at = j, at
	}
}

// relies has the object watched by its own where the joint watch does not show what the
// put at a version has made: it began after it, or nothing was changed.
func (f *follow) relies(version string) {
	if f.shared != nil && !f.shared.shows(version) {
		f.part()
	}
}

// part ends what the joint watch shows.
func (f *follow) part() { f.parting.Do(func() { close(f.parted) }) }

// runShared lets the joint watch show the object for as long as it does.
func (f *follow) runShared(ctx context.Context) {
	if f.shared == nil {
		return
	}
	defer f.shared.dismiss(f.at, f)
	select {
	case <-f.parted:
	case <-f.shared.done:
	case <-ctx.Done():
	}
}

// run watches until ctx ends.
func (f *follow) run(ctx context.Context) {
	f.runShared(ctx)
	how := byMark
	for ctx.Err() == nil {
		if f.engine.unmarked.Load() {
			how = max(how, byCount)
		}
		again := rewatch
		w, err := f.begin(ctx, how)
		switch {
		case err == nil:
			if f.hear(ctx, w) {
				again, how = 0, min(how+1, byList)
			}
			w.Stop()
		case how == byMark && (apierrors.IsInvalid(err) || apierrors.IsBadRequest(err)):
			f.engine.unmarked.Store(true)
			continue
		default:
			f.fail(err)
		}
		if nap.For(ctx, again) != nil {
			return
		}
	}
}

// first waits until all that there is was shown, for a while.
func (f *follow) first(ctx context.Context) error {
	timer := time.NewTimer(firstShow)
	defer timer.Stop()
	select {
	case <-f.whole:
	case <-timer.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// hear takes in what a watch shows, until it ends. endless tells that nothing says when
// it has shown all that there is.
func (f *follow) hear(ctx context.Context, w apiwatch.Interface) (endless bool) {
	limit := time.NewTimer(f.limit())
	defer limit.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-limit.C:
			if f.overdue() {
				return true
			}
		case e, open := <-w.ResultChan():
			if !open {
				return false
			}
			if e.Type == apiwatch.Error {
				return f.cut(apierrors.FromObject(e.Object))
			}
			if u, ok := e.Object.(*unstructured.Unstructured); ok {
				f.take(e.Type, u)
			}
		}
	}
}

// limit is how long a watch may take to show all.
func (f *follow) limit() time.Duration {
	if f.name != "" {
		return firstShow
	}
	return showAll
}

// cut hears why a watch has ended. An API server whose etcd is too old for marks says
// so in a watch that has begun.
func (f *follow) cut(err error) (endless bool) {
	if apierrors.IsInternalError(err) && strings.Contains(err.Error(), "required storage feature") {
		f.engine.unmarked.Store(true)
		return true
	}
	f.fail(err)
	return false
}

func (f *follow) take(what apiwatch.EventType, u *unstructured.Unstructured) {
	f.mu.Lock()
	defer f.mu.Unlock()
	into := f.items
	if f.next != nil {
		into = f.next
	}
	whole := f.name != "" // one object is all that there is
	switch what {
	case apiwatch.Bookmark:
		whole = u.GetAnnotations()[metav1.InitialEventsAnnotationKey] == "true"
	case apiwatch.Deleted:
		delete(into, u.GetUID())
		f.gone = u
	default:
		into[u.GetUID()] = u
	}
	if f.next != nil && whole {
		f.counts(f.next)
	}
	f.enough()
	if f.next == nil {
		f.news.tell()
	}
}

// overdue tells whether the present watch should have shown all that there is by now.
// Of one object that means that it does not show it: who fails because of that must ask.
func (f *follow) overdue() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.next != nil && f.name != "" {
		f.items = nil
		f.news.tell()
	}
	return f.next != nil && f.name == ""
}

// settle lets a list count.
func (f *follow) settle(all []unstructured.Unstructured) {
	f.mu.Lock()
	defer f.mu.Unlock()
	items := make(map[types.UID]*unstructured.Unstructured, len(all))
	for i := range all {
		items[all[i].GetUID()] = &all[i]
	}
	f.counts(items)
	f.news.tell()
}

// counts lets all that there is count. The caller holds the lock.
func (f *follow) counts(items map[types.UID]*unstructured.Unstructured) {
	f.items, f.next = items, nil
	f.once.Do(func() { close(f.whole) })
}

// fail notes why there is no watch. History that is too old is no reason: the next
// one begins anew.
func (f *follow) fail(err error) {
	if apierrors.IsGone(err) || apierrors.IsResourceExpired(err) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
	f.news.tell()
	if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
		f.once.Do(func() { close(f.whole) })
	}
}

// last is how what went last was then; nil where nothing has gone.
func (f *follow) last() *unstructured.Unstructured {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.gone
}

// list returns what is there now, or why that is not known; whole tells that it is all
// that there is.
func (f *follow) list() (out []unstructured.Unstructured, whole bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return nil, false, f.err
	}
	for _, u := range f.items {
		out = append(out, *u)
	}
	return out, f.items != nil, nil
}
