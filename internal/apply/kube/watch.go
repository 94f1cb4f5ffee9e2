package kube

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	apiwatch "k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// heard is how many names of apps wait for who listens; more of them say that
// something was lost.
const heard = 256

// scoped is a watch of the metadata of a kind's objects, those of ours only. It is
// shared by all apps.
type scoped struct {
	informer cache.SharedIndexInformer
	// refused is closed, with the reason in why, where the watch is not allowed.
	refused chan struct{}
	why     error
	// asked is when somebody asked for it last, end ends it.
	asked time.Time
	end   context.CancelFunc
}

// sighting is what a watch shows of one object.
type sighting struct {
	kind                                  kind
	namespace, name, uid, own, app, agent string
	version                               string
	generation                            int64
	deleting, keep                        bool
	strange                               []string // fields that others have put beside ours
	scaled                                []metav1.ManagedFieldsEntry
}

// key is the slot that the object stands in.
func (s *sighting) key() resource.Key { return s.kind.slot(s.namespace, s.name) }

// byApp is the index of a watch's objects by the app that they are labelled with.
const byApp = "app"

// patience is how long the first answer of a watch may take.
const patience = 30 * time.Second

// seen returns what the watches show of a wanted object; nil where they show none.
func (e *Engine) seen(ctx context.Context, id *identity, w *wanted) (*sighting, error) {
	s, err := e.watched(ctx, id, w.kind, w.manifest.GetNamespace())
	if err != nil {
		return nil, err
	}
	return s.shows(w.kind, w.manifest.GetNamespace(), w.manifest.GetName())
}

// shows returns what the watch shows of an object; nil where it shows none.
func (s *scoped) shows(k kind, namespace, name string) (*sighting, error) {
	item, err := s.item(k, namespace, name)
	if err != nil || item == nil {
		return nil, err
	}
	seen := sight(k, item)
	return &seen, nil
}

// item is what the watch keeps of an object; nil where it shows none.
func (s *scoped) item(k kind, namespace, name string) (*metav1.PartialObjectMetadata, error) {
	if k.namespaced {
		name = namespace + "/" + name
	}
	item, there, err := s.informer.GetStore().GetByKey(name)
	if err != nil || !there {
		return nil, err
	}
	return item.(*metav1.PartialObjectMetadata), nil
}

// whole returns the watch that shows a kind's objects in a namespace, where it has
// come to all that there is; nil where nobody has begun it, or it has not.
func (e *Engine) whole(account string, k kind, namespace string) *scoped {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.scopes[e.scopeOf(account, k, namespace)]
	if s == nil || s.why != nil || !s.informer.HasSynced() {
		return nil
	}
	s.asked = time.Now()
	return s
}

// labelled returns what the watches in an account's name show of an app, besides
// what is known.
func (e *Engine) labelled(account, app string, known map[resource.Key]bool) []*sighting {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []*sighting
	for at, s := range e.scopes {
		if at.account != account {
			continue
		}
		items, err := s.informer.GetIndexer().ByIndex(byApp, app)
		if err != nil {
			continue
		}
		for _, item := range items {
			m := item.(*metav1.PartialObjectMetadata)
			if !known[at.kind.slot(m.Namespace, m.Name)] {
				seen := sight(at.kind, m)
				out = append(out, &seen)
			}
		}
	}
	return out
}

// watched returns the watch that shows a kind's objects in a namespace, and begins
// it where there is none. The agent itself watches all namespaces at once where it
// may.
func (e *Engine) watched(ctx context.Context, id *identity, k kind, namespace string) (*scoped, error) {
	wide := scope{account: id.name, kind: k}
	e.mu.Lock()
	at := e.scopeOf(id.name, k, namespace)
	e.mu.Unlock()
	s := e.begin(id, at)
	select {
	case <-s.informer.HasSyncedChecker().Done():
		return s, nil
	default:
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fault.As(fault.Unreachable, fmt.Errorf("the cluster did not list %s within %s", k.gvr.Resource, patience)))
	defer cancel()
	select {
	case <-s.informer.HasSyncedChecker().Done():
		return s, nil
	case <-s.refused:
		if at.namespace == "" && k.namespaced {
			e.mu.Lock()
			e.confined[wide] = true
			e.mu.Unlock()
			return e.watched(ctx, id, k, namespace)
		}
		return nil, s.why
	case err := <-e.silent(ctx, id, at): // it goes on trying; who asks is told now
		return nil, err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// begin starts a watch, or returns the one that runs.
func (e *Engine) begin(id *identity, at scope) *scoped {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s := e.scopes[at]; s != nil && s.why == nil {
		s.asked = time.Now()
		return s
	}
	s := &scoped{refused: make(chan struct{}), asked: time.Now()}
	e.armTidy()
	s.informer = cache.NewSharedIndexInformerWithOptions(e.lister(id, at), &metav1.PartialObjectMetadata{}, cache.SharedIndexInformerOptions{
		Indexers: cache.Indexers{byApp: func(item any) ([]string, error) {
			return []string{appOf(item.(*metav1.PartialObjectMetadata))}, nil
		}},
	})
	// None of these can fail before the informer runs.
	_ = s.informer.SetTransform(slim)
	_, _ = s.informer.AddEventHandler(&hearer{engine: e, scope: at})
	life, end := context.WithCancel(e.life)
	s.end = end
	_ = s.informer.SetWatchErrorHandlerWithContext(func(_ context.Context, _ *cache.Reflector, err error) {
		e.trouble(s, at, err, end)
	})
	e.scopes[at] = s
	e.owners.Go(func() {
		defer end()
		s.informer.RunWithContext(life)
	})
	return s
}

// trouble hears why a watch failed. One that is not allowed ends; any other is begun
// again, and looks anew at all there is: nothing is lost but time.
func (e *Engine) trouble(s *scoped, at scope, err error, end func()) {
	switch {
	case apierrors.IsForbidden(err):
		e.mu.Lock()
		defer e.mu.Unlock()
		if s.why == nil {
			s.why = classified(err, "watch "+at.kind.gvr.Resource)
			close(s.refused)
			delete(e.scopes, at) // what it has shown is old from now on
			end()
		}
	case apierrors.IsResourceExpired(err) || apierrors.IsGone(err): // old history: the reflector lists anew
	default:
		e.lost(fmt.Errorf("watch %s: %w", at.kind.gvr.Resource, err))
	}
}

func (e *Engine) lister(id *identity, at scope) cache.ListerWatcher {
	place := placeOf(id, at)
	ours := LabelAgent + "=" + e.agent
	return cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.LabelSelector = ours
			return place.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (apiwatch.Interface, error) {
			o.LabelSelector = ours
			return place.Watch(ctx, o)
		},
	}, id.metadata)
}

// slim leaves of an object's metadata what is looked at. Our entry of its managed
// fields becomes its hash: of 4,000 objects it would be the most of the memory.
// Maps would come next: what labels and annotations say is written into fields
// that the API server does not use for what is there, under the kind slimmed.
func slim(item any) (any, error) {
	m, ok := item.(*metav1.PartialObjectMetadata)
	if !ok || m.Kind == slimmed { // it may come twice
		return item, nil
	}
	out := &metav1.PartialObjectMetadata{}
	out.Kind = slimmed
	out.Name, out.Namespace, out.UID, out.ResourceVersion = m.Name, m.Namespace, m.UID, m.ResourceVersion
	out.Generation, out.DeletionTimestamp = m.Generation, m.DeletionTimestamp
	out.APIVersion, out.GenerateName = m.Labels[LabelApp], ownHash(m.ManagedFields)
	if kept := m.Annotations[KeepAnnotation]; kept != "" {
		out.Annotations = map[string]string{KeepAnnotation: kept}
	}
	out.Finalizers = strangeFields(m.ManagedFields)
	for _, f := range m.ManagedFields {
		if f.Subresource == "scale" {
			out.ManagedFields = append(out.ManagedFields, f)
		}
	}
	return out, nil
}

// slimmed is the kind of metadata whose APIVersion is the app that the object is
// labelled with, whose GenerateName is the hash of our entry of its managed fields,
// and whose Finalizers are what others have put beside our fields.
const slimmed = "slim"

// appOf is the app that an object is labelled with.
func appOf(m *metav1.PartialObjectMetadata) string {
	if m.Kind == slimmed {
		return m.APIVersion
	}
	return m.Labels[LabelApp]
}

// sight reads an object's metadata, slim or whole.
func sight(k kind, m *metav1.PartialObjectMetadata) sighting {
	s := sighting{
		kind: k, namespace: m.Namespace, name: m.Name, uid: string(m.UID), app: appOf(m), agent: m.Labels[LabelAgent],
		version: m.ResourceVersion, generation: m.Generation,
		deleting: m.DeletionTimestamp != nil, keep: m.Annotations[KeepAnnotation] == "keep", scaled: m.ManagedFields,
	}
	if m.Kind == slimmed {
		s.own, s.strange = m.GenerateName, m.Finalizers
	} else {
		s.own = ownHash(m.ManagedFields)
	}
	return s
}

// older tells whether a watch has not caught up with our own put.
func older(s *sighting, known entry) bool {
	if s.uid != known.UID {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(s.version, known.version)
	return err == nil && order < 0
}
