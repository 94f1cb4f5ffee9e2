package kube

import (
	"context"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	apiwatch "k8s.io/apimachinery/pkg/watch"
)

// joint is one watch for all lookouts at what is put of a kind: of a hundred workloads
// that change at once each would have a watch of its own. It shows what happens after
// the version that the watch of the kind's metadata has come to, and begins before
// something is put: so it shows what that makes. What happened before it does not know,
// and whoever needs that watches for itself, as all do where it fails.
type joint struct {
	from string
	done chan struct{} // closed at its end
	end  context.CancelFunc
	last *time.Timer // ends it when nobody has needed it for a while

	mu      sync.Mutex // guards what follows
	over    bool
	follows map[string]*follow // by namespace/name
}

// expects lets a lookout see what becomes of an object that is about to be put, where a
// joint watch can show it.
func (e *Engine) expects(id *identity, k kind, namespace, name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	at := lookoutID{id.name, k, namespace + "/" + name}
	if e.lookouts[at] != nil {
		return
	}
	if j := e.joint(id, k, namespace); j != nil {
		e.lookOut(at, e.newLookout(id, k, namespace, name, j))
	}
}

// joint is the one that shows a kind's objects in a namespace, and begins it; nil where
// it cannot be. The caller holds the lock.
func (e *Engine) joint(id *identity, k kind, namespace string) *joint {
	at := e.scopeOf(id.name, k, namespace)
	seen := e.scopes[at]
	if seen == nil || seen.why != nil || !seen.informer.HasSynced() {
		return nil
	}
	from, j := seen.informer.LastSyncResourceVersion(), e.joints[at]
	switch {
	case j != nil && !j.isOver():
		return j
	case from == "", j != nil && j.from == from: // it could not begin there
		return nil
	}
	life, end := context.WithCancel(e.life)
	j = &joint{from: from, done: make(chan struct{}), end: end, follows: map[string]*follow{}}
	j.last = time.AfterFunc(idle, end)
	e.joints[at] = j
	e.owners.Go(func() {
		defer end()
		j.run(life, id, at, e.agent)
	})
	return j
}

// run shows what happens until ctx ends, or the watch does.
func (j *joint) run(ctx context.Context, id *identity, at scope, agent string) {
	defer j.close()
	w, err := id.client(at.kind, at.namespace).Watch(ctx, metav1.ListOptions{LabelSelector: LabelAgent + "=" + agent, ResourceVersion: j.from})
	if err != nil { // each lookout watches for itself, and learns why
		return
	}
	defer w.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case e, open := <-w.ResultChan():
			u, ok := e.Object.(*unstructured.Unstructured)
			if !open || e.Type == apiwatch.Error || !ok {
				return
			}
			j.hand(e.Type, u)
		}
	}
}

// hand gives what the watch shows to whoever follows the object. What it shows no more
// may be gone, or not ours any more: its follow looks for itself.
func (j *joint) hand(what apiwatch.EventType, u *unstructured.Unstructured) {
	at := u.GetNamespace() + "/" + u.GetName()
	j.mu.Lock()
	f := j.follows[at]
	j.mu.Unlock()
	if f == nil {
		return
	}
	f.take(what, u)
	if what == apiwatch.Deleted {
		f.part()
	}
}

// admit lets a follow be shown its object; false where the watch has ended.
func (j *joint) admit(at string, f *follow) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.over {
		j.follows[at] = f
		j.last.Stop()
	}
	return !j.over
}

// dismiss forgets a follow. Where it was the last, the watch goes on for a while.
func (j *joint) dismiss(at string, f *follow) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.follows[at] != f {
		return
	}
	delete(j.follows, at)
	if len(j.follows) == 0 {
		j.last.Reset(idle)
	}
}

func (j *joint) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.over = true
	j.last.Stop()
	close(j.done)
}

func (j *joint) isOver() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.over
}

// shows tells whether the watch shows, sooner or later, what a put has made.
func (j *joint) shows(version string) bool {
	order, err := resourceversion.CompareResourceVersion(j.from, version)
	return err == nil && order < 0
}
