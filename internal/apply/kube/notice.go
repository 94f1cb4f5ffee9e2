package kube

import (
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/resource"
)

var _ apply.Noticer = (*Target)(nil)

// Noticed returns a channel that is closed when what is watched of an object says
// something new; nil where nothing of it is watched.
func (t *Target) Noticed(key resource.Key, _ resource.Ref) <-chan struct{} {
	known, ok := t.ledger.get(key)
	if !ok || known.Settled {
		return nil
	}
	id, err := t.identity()
	if err != nil {
		return nil
	}
	k, ok := t.engine.kinds.known(schema.FromAPIVersionAndKind(known.APIVersion, known.Kind))
	if !ok {
		return nil
	}
	t.engine.mu.Lock()
	l := t.engine.lookouts[lookoutID{id.name, k, known.Namespace + "/" + known.Name}]
	t.engine.mu.Unlock()
	if l == nil {
		return nil
	}
	return l.noticed()
}

// news lets any number wait for the next thing that a watch shows.
type news struct {
	mu   sync.Mutex
	wait chan struct{}
}

func newNews() *news { return &news{wait: make(chan struct{})} }

// next is closed with the next news.
func (n *news) next() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.wait
}

func (n *news) tell() {
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.wait)
	n.wait = make(chan struct{})
}
