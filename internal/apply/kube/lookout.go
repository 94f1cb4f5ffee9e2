package kube

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"syncd.io/syncd/internal/apply/kube/health"
)

// The lookout's clocks: how long it goes on after it was last asked, how long after
// its app was found to be as wanted and well, and how long the object may take to be
// shown at first.
const (
	idle      = 10 * time.Second
	idleWell  = time.Second
	firstShow = 2 * time.Second
)

// lookoutID is what a lookout looks at, in whose name.
type lookoutID struct {
	account string
	kind    kind
	at      string // namespace/name
}

// lookout watches one object, whole, and its pods, while somebody awaits it: a look
// costs no request then. It ends by itself when nobody has looked for a while.
type lookout struct {
	id     *identity
	engine *Engine
	owners *sync.WaitGroup
	object *follow
	life   context.Context
	end    context.CancelFunc
	last   *time.Timer
	news   *news

	mu sync.Mutex // guards what follows
	// since is closed when there is news since the last look.
	since <-chan struct{}
	pods  *follow
	// selector is the pods'.
	selector string
	// sets are the ReplicaSets of the pods that were seen: they tell new pods from old
	// ones, and do not change in what they say of that.
	sets []unstructured.Unstructured
	// template is the object's at this generation.
	template   string
	generation int64
}

// lookout returns the one for an object, and starts it where there is none.
func (e *Engine) lookout(id *identity, k kind, namespace, name string) *lookout {
	e.mu.Lock()
	defer e.mu.Unlock()
	at := lookoutID{id.name, k, namespace + "/" + name}
	if l := e.lookouts[at]; l != nil && l.last.Reset(idle) {
		return l
	}
	l := e.newLookout(id, k, namespace, name, nil)
	e.lookOut(at, l)
	return l
}

// newLookout makes one that begins with what a joint watch shows, where that is not nil.
func (e *Engine) newLookout(id *identity, k kind, namespace, name string, j *joint) *lookout {
	l := &lookout{id: id, engine: e, owners: &e.owners, news: newNews()}
	l.object = newFollow(e, id.client(k, namespace), name, "", l.news)
	if j != nil {
		l.object.join(j, namespace+"/"+name)
	}
	return l
}

// lookOut starts a lookout. The caller holds the lock.
func (e *Engine) lookOut(at lookoutID, l *lookout) {
	l.life, l.end = context.WithCancel(e.life)
	l.last = time.AfterFunc(idle, l.end)
	e.owners.Go(func() { l.object.run(l.life) })
	e.lookouts[at] = l
	context.AfterFunc(l.life, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.lookouts[at] == l {
			delete(e.lookouts, at)
		}
	})
}

// unneeded lets the lookout for an object that is as wanted, and well, end soon, where
// there is one: of a thousand apps that change at once, hundreds would go on for
// nothing. Whoever awaits the object yet keeps it.
func (e *Engine) unneeded(id *identity, k kind, namespace, name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.lookouts) == 0 { // as nearly always: the name is not worth to be made
		return
	}
	if l := e.lookouts[lookoutID{id.name, k, namespace + "/" + name}]; l != nil {
		l.last.Reset(idleWell)
	}
}

// lookedAt returns an object as a lookout shows it, where it is the one that is known,
// and no older than the version that was seen elsewhere; nil where that is not so.
func (e *Engine) lookedAt(id *identity, w *wanted, known entry, version string) *unstructured.Unstructured {
	e.mu.Lock()
	l := e.lookouts[lookoutID{id.name, w.kind, w.manifest.GetNamespace() + "/" + w.manifest.GetName()}]
	e.mu.Unlock()
	if l == nil || version == "" {
		return nil
	}
	items, _, err := l.object.list()
	if err != nil || len(items) != 1 || string(items[0].GetUID()) != known.UID {
		return nil
	}
	order, err := resourceversion.CompareResourceVersion(items[0].GetResourceVersion(), version)
	if err != nil || order < 0 {
		return nil
	}
	return &items[0]
}

// shown is what a lookout shows: the object, nil where it is not there and is no Job
// that has ended, and what it runs.
type shown struct {
	object *unstructured.Unstructured
	parts  []unstructured.Unstructured
	// partial tells that not all that it runs was shown yet: parts says nothing then.
	partial bool
	// set is the ReplicaSet of its present template, where its name is known.
	set setName
}

// show returns what is there now. known is what is remembered of the object.
func (l *lookout) show(ctx context.Context, known entry) (shown, error) {
	l.object.relies(known.version)
	if err := l.object.first(ctx); err != nil {
		return shown{}, err
	}
	l.looks()
	items, _, err := l.object.list()
	if err != nil {
		return shown{}, unseen(err, "watch it")
	}
	if len(items) == 0 {
		return shown{object: ended(l.object.last())}, nil
	}
	out := shown{object: &items[0]}
	err = l.parts(ctx, &out, known)
	return out, err
}

// ended is a Job that is gone and had ended, as it was then: it may have been set to go
// in that moment (ttlSecondsAfterFinished), and is judged by how it ended.
func ended(last *unstructured.Unstructured) *unstructured.Unstructured {
	if health.Ended(last) {
		return last
	}
	return nil
}

// looks notes that somebody looks now: news are what comes after that.
func (l *lookout) looks() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.since = l.news.next()
}

// noticed is closed when there is news since the last look.
func (l *lookout) noticed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.since
}

// parts finds the pods of a workload, and the ReplicaSets that tell which of them are
// new.
func (l *lookout) parts(ctx context.Context, out *shown, known entry) error {
	want := health.Parts(out.object)
	if len(want) == 0 || idleSize(out.object) {
		return nil
	}
	watched := l.podsOf(out.object, want[len(want)-1])
	watched.expect(health.Due(out.object))
	if err := watched.first(ctx); err != nil {
		return err
	}
	pods, whole, err := watched.list()
	if err != nil {
		return unseen(err, "watch its pods")
	}
	if out.partial = !whole; out.partial {
		return nil
	}
	out.parts = pods
	if len(want) == 1 || !taken(out.object) {
		return nil
	}
	return l.sort(ctx, out, known.naming, want[0])
}

// podsOf watches the pods that a workload selects.
func (l *lookout) podsOf(object *unstructured.Unstructured, of health.Part) *follow {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pods == nil || l.selector != of.Selector { // it was made anew with another
		pods := newFollow(l.engine, l.id.dynamic.Resource(of.Resource).Namespace(object.GetNamespace()), "", of.Selector, l.news)
		l.owners.Go(func() { pods.run(l.life) })
		l.pods, l.selector, l.sets = pods, of.Selector, nil
	}
	return l.pods
}

// templateOf identifies the object's template, which is the same for a generation.
func (l *lookout) templateOf(object *unstructured.Unstructured) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.template == "" || l.generation != object.GetGeneration() {
		l.template, l.generation = templateOf(object), object.GetGeneration()
	}
	return l.template
}

// idleSize tells a workload that asks for no pod.
func idleSize(object *unstructured.Unstructured) bool {
	n, found, err := unstructured.NestedInt64(object.Object, "spec", "replicas")
	return err == nil && found && n == 0
}

// taken tells whether the object's controller has taken its present generation up: its
// ReplicaSet is there then. Before, there is nothing that pods could say of it.
func taken(object *unstructured.Unstructured) bool {
	seen, _, err := unstructured.NestedInt64(object.Object, "status", "observedGeneration")
	return err == nil && seen >= object.GetGeneration()
}
