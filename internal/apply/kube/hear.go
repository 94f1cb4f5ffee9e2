package kube

import (
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
)

// hearer turns what a watch shows into names of apps.
type hearer struct {
	engine *Engine
	scope  scope
}

// OnAdd hears of an object that is there; what the first list shows is no news.
func (h *hearer) OnAdd(item any, first bool) {
	h.caughtUp(item)
	if !first {
		h.tell(item)
	}
}

// OnUpdate hears of a change. Only what we own, whose it is, that it goes, and for
// what can fall ill its status, are news.
func (h *hearer) OnUpdate(before, after any) {
	h.caughtUp(after)
	a, b := sight(h.scope.kind, before.(*metav1.PartialObjectMetadata)), sight(h.scope.kind, after.(*metav1.PartialObjectMetadata))
	differs := a.version != b.version && h.engine.differs(&b) // it may be as wanted now, without a field of ours
	if differs || a.own != b.own || !slices.Equal(a.strange, b.strange) || a.app != b.app || a.deleting != b.deleting || a.version != b.version && !h.scope.kind.quiet {
		h.tell(after)
	}
	if a.app != b.app { // who had it has to know, too
		h.tell(before)
	}
}

// differs tells whether an object was last found to be other than wanted.
func (e *Engine) differs(s *sighting) bool {
	l := e.ledger(s.app)
	if l == nil {
		return false
	}
	known, ok := l.get(s.key())
	return ok && known.UID == s.uid && known.Want == ""
}

// OnDelete hears that an object is gone, or not ours any more.
func (h *hearer) OnDelete(item any) {
	if gone, ok := item.(cache.DeletedFinalStateUnknown); ok {
		item = gone.Obj
	}
	h.caughtUp(item)
	h.tell(item)
}

func (h *hearer) tell(item any) {
	if m, ok := item.(*metav1.PartialObjectMetadata); ok {
		h.engine.tell(appOf(m))
	}
}

// caughtUp lets the ledger know that the watch has come to what was put.
func (h *hearer) caughtUp(item any) {
	m, ok := item.(*metav1.PartialObjectMetadata)
	if !ok {
		return
	}
	s := sight(h.scope.kind, m)
	if l := h.engine.ledger(s.app); l != nil {
		l.caughtUp(s.key(), s.uid, func(e entry) bool { return older(&s, e) })
	}
}

// tell says that something of an app changed; where nobody has listened for long,
// that something was lost.
func (e *Engine) tell(app string) {
	select {
	case e.hear <- app:
	default:
		select {
		case <-e.hear:
		default:
		}
		select {
		case e.hear <- "":
		default:
		}
	}
}

// Watch returns the names of apps after something of theirs changed, until ctx
// ends.
func (e *Engine) Watch(ctx context.Context) <-chan string {
	out := make(chan string)
	e.owners.Go(func() {
		defer close(out)
		for {
			var app string
			select {
			case app = <-e.hear:
			case <-ctx.Done():
				return
			case <-e.life.Done():
				return
			}
			select {
			case out <- app:
			case <-ctx.Done():
				return
			case <-e.life.Done():
				return
			}
		}
	})
	return out
}
