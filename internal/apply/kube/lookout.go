package kube

import (
	"context"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

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
}

// lookout returns the one for an object, and starts it where there is none.
func (e *Engine) lookout(id *identity, k kind, namespace, name string) *lookout {
	e.mu.Lock()
	defer e.mu.Unlock()
	at := lookoutID{id.name, k, namespace + "/" + name}
	if l := e.lookouts[at]; l != nil && l.last.Reset(idle) {
		return l
	}
	l := &lookout{id: id, owners: &e.owners, news: newNews()}
	l.object = newFollow(id.client(k, namespace), "metadata.name="+name, "", l.news)
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
	return l
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

// show returns the object and what it runs, as they are now; nil where it is not
// there.
func (l *lookout) show(ctx context.Context) (*unstructured.Unstructured, []unstructured.Unstructured, error) {
	timer := time.NewTimer(firstShow)
	defer timer.Stop()
	select {
	case <-l.object.shown:
	case <-timer.C:
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
	l.looks()
	items, err := l.object.list()
	if err != nil {
		return nil, nil, classified(err, "watch it")
	}
	if len(items) == 0 {
		return nil, nil, nil
	}
	object := &items[0]
	parts, err := l.parts(ctx, object)
	return object, parts, err
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

// parts returns the pods of a workload, and the ReplicaSets that made them.
func (l *lookout) parts(ctx context.Context, object *unstructured.Unstructured) ([]unstructured.Unstructured, error) {
	want := health.Parts(object)
	if len(want) == 0 || idleSize(object) {
		return nil, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	last := want[len(want)-1]
	if l.pods == nil || l.selector != last.Selector { // it was made anew with another
		l.selector, l.sets = last.Selector, nil
		l.pods = newFollow(l.id.dynamic.Resource(last.Resource).Namespace(object.GetNamespace()), "", last.Selector, l.news)
		l.owners.Go(func() { l.pods.run(l.life) })
	}
	pods, err := l.pods.list()
	if err != nil {
		return nil, classified(err, "watch its pods")
	}
	if len(want) > 1 && taken(object) && l.orphans(pods) {
		if err := l.learnSets(ctx, object, want[0]); err != nil {
			return nil, err
		}
	}
	return append(pods, l.sets...), nil
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

// orphans tells whether a pod's ReplicaSet was not seen yet.
func (l *lookout) orphans(pods []unstructured.Unstructured) bool {
	known := map[types.UID]bool{}
	for _, s := range l.sets {
		known[s.GetUID()] = true
	}
	for _, p := range pods {
		if owner := metav1.GetControllerOfNoCopy(&p); owner != nil && owner.Kind == "ReplicaSet" && !known[owner.UID] {
			return true
		}
	}
	return false
}

func (l *lookout) learnSets(ctx context.Context, object *unstructured.Unstructured, of health.Part) error {
	list, err := l.id.dynamic.Resource(of.Resource).Namespace(object.GetNamespace()).List(ctx, metav1.ListOptions{LabelSelector: of.Selector})
	if err != nil {
		return classified(err, "list its ReplicaSets")
	}
	l.sets = list.Items
	return nil
}

// partsNow asks for what an object runs, once.
func (e *Engine) partsNow(ctx context.Context, id *identity, object *unstructured.Unstructured) ([]unstructured.Unstructured, error) {
	var out []unstructured.Unstructured
	for _, want := range health.Parts(object) {
		list, err := id.dynamic.Resource(want.Resource).Namespace(object.GetNamespace()).List(ctx, metav1.ListOptions{LabelSelector: want.Selector})
		if err != nil {
			return nil, classified(err, "list the "+want.Resource.Resource+" of "+object.GetName())
		}
		out = append(out, list.Items...)
	}
	return out, nil
}
