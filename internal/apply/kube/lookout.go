package kube

import (
	"context"
	"slices"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	apiwatch "k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"

	"syncd.io/syncd/internal/apply/kube/health"
)

// idle is how long a lookout goes on after it was last asked.
const idle = 10 * time.Second

// lookoutID is what a lookout looks at, in whose name.
type lookoutID struct {
	account string
	kind    kind
	at      string // namespace/name
}

// lookout watches one object, whole, and what it runs, while somebody awaits it: a
// look costs no request then. It ends by itself when nobody has looked for a while.
type lookout struct {
	id     *identity
	object cache.Controller
	store  cache.Store
	name   string
	life   context.Context
	end    context.CancelFunc
	owner  *sync.WaitGroup

	mu    sync.Mutex // guards what follows
	parts []part
	last  *time.Timer
}

// part is one watch of what belongs to the object.
type part struct {
	store   cache.Store
	control cache.Controller
}

// lookout returns the one for an object, and starts it where there is none.
func (e *Engine) lookout(id *identity, k kind, namespace, name string) *lookout {
	e.mu.Lock()
	defer e.mu.Unlock()
	at := lookoutID{id.name, k, namespace + "/" + name}
	if l := e.lookouts[at]; l != nil && l.last.Reset(idle) {
		return l
	}
	l := &lookout{id: id, name: name, owner: &e.owners}
	l.life, l.end = context.WithCancel(e.life)
	l.last = time.AfterFunc(idle, l.end)
	l.store, l.object = l.watch(id.client(k, namespace), "metadata.name="+name, "", nil)
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

// watch begins to watch objects, until the lookout's life ends.
func (l *lookout) watch(place dynamic.ResourceInterface, fields, labels string, slim cache.TransformFunc) (cache.Store, cache.Controller) {
	store, control := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
			ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
				o.FieldSelector, o.LabelSelector = fields, labels
				return place.List(ctx, o)
			},
			WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (apiwatch.Interface, error) {
				o.FieldSelector, o.LabelSelector = fields, labels
				return place.Watch(ctx, o)
			},
		}, l.id.dynamic),
		ObjectType: &unstructured.Unstructured{}, Handler: cache.ResourceEventHandlerFuncs{}, Transform: slim,
	})
	l.owner.Go(func() { control.RunWithContext(l.life) })
	return store, control
}

// show returns the object and what belongs to it, as they are now; nil where it is
// not there. Errors: Unreachable where nothing was heard in time.
func (l *lookout) show(ctx context.Context) (*unstructured.Unstructured, []unstructured.Unstructured, error) {
	if err := l.heard(ctx, l.object); err != nil {
		return nil, nil, err
	}
	object := first(l.store)
	if object == nil || !health.NeedsPods(object) {
		return object, nil, nil
	}
	var parts []unstructured.Unstructured
	for _, p := range l.belongings(object) {
		if err := l.heard(ctx, p.control); err != nil {
			return nil, nil, err
		}
		for _, item := range p.store.List() {
			parts = append(parts, *item.(*unstructured.Unstructured))
		}
	}
	return object, parts, nil
}

// belongings begins the watches of what the object runs.
func (l *lookout) belongings(object *unstructured.Unstructured) []part {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.parts == nil {
		for _, want := range health.Parts(object) {
			var p part
			p.store, p.control = l.watch(l.id.dynamic.Resource(want.Resource).Namespace(object.GetNamespace()), "", want.Selector, nil)
			l.parts = append(l.parts, p)
		}
	}
	return slices.Clone(l.parts)
}

func (l *lookout) heard(ctx context.Context, control cache.Controller) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errSilent)
	defer cancel()
	select {
	case <-control.HasSyncedChecker().Done():
		return nil
	case <-l.life.Done():
		return errSilent
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func first(store cache.Store) *unstructured.Unstructured {
	for _, item := range store.List() {
		return item.(*unstructured.Unstructured)
	}
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
