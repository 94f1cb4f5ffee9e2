package kube

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/resource"
)

// Observe returns one pair per wanted and per owned object. An object that the
// watches show as it was when it was last found equal costs no request.
func (t *Target) Observe(ctx context.Context, want []resource.Object, owned apply.Owned) ([]resource.Pair, error) {
	pairs, err := t.observe(ctx, want, owned)
	return pairs, t.hidden(err)
}

func (t *Target) observe(ctx context.Context, want []resource.Object, owned apply.Owned) ([]resource.Pair, error) {
	t.learn(want, owned)
	l := &look{Target: t, begun: time.Now(), want: want}
	pairs := make([]resource.Pair, len(want))
	var err error
	if l.identity, err = t.identity(); err != nil {
		return nil, err
	}
	group, inside := errgroup.WithContext(ctx)
	group.SetLimit(inFlight)
	for i := range want {
		if known, ok := l.unchanged(&want[i]); ok {
			pairs[i] = known
			continue
		}
		group.Go(func() (err error) {
			pairs[i], err = l.pair(inside, want[i])
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	extras, err := l.extras(ctx)
	if err != nil {
		return nil, err
	}
	if len(extras) > 0 {
		pairs = slices.Concat(pairs, extras)
	}
	slices.SortFunc(pairs, func(a, b resource.Pair) int { return a.Key.Compare(b.Key) })
	return pairs, nil
}

// look is one observation.
type look struct {
	*Target
	begun    time.Time
	identity *identity
	want     []resource.Object
}

// pair looks at one wanted object.
func (l *look) pair(ctx context.Context, o resource.Object) (resource.Pair, error) {
	p := resource.Pair{Key: o.Key, Group: o.Group, Want: &o, Stored: o.Spec, InPlace: []string{""}, Alone: true}
	w, err := l.wanted(ctx, o)
	switch {
	case err != nil && l.brings(o) != "":
		p.Deferred = "its kind comes with " + l.brings(o)
		return p, nil
	case err != nil:
		return p, err
	}
	p.Kept = keptAnew(w.kind.gvk) || w.manifest.GetAnnotations()[KeepAnnotation] == "keep"
	seen, err := l.engine.seen(ctx, l.identity, w)
	if err != nil {
		return p, err
	}
	known, _ := l.ledger.get(o.Key)
	switch {
	case known.awaited() && (seen == nil || older(seen, known)): // the watch has not caught up with our own put
		if known.Want == w.hash {
			return l.asKnown(ctx, p, w, known, nil)
		}
	case seen == nil || seen.app != l.app:
		return l.unlabelled(ctx, p, w, known, seen != nil)
	case known.UID == seen.uid && known.Want != "" && known.Own == seen.own && !seen.deleting:
		owner, err := l.scalerOf(ctx, l.identity, w, seen.scaled)
		if err != nil {
			return p, err
		}
		w.yield(l.isScaled(o.Key), nil, owner)
		if known.Want == w.hash && !known.stale(time.Now()) {
			return l.asKnown(ctx, p, w, known, seen)
		}
	}
	return l.compare(ctx, p, w, known, seen)
}

// asKnown is a pair whose object is as it was when it was last found equal.
func (l *look) asKnown(ctx context.Context, p resource.Pair, w *wanted, known entry, seen *sighting) (resource.Pair, error) {
	version := ""
	if seen != nil {
		version = seen.version
		p.Aside = seen.strange
	}
	h, err := l.feels(ctx, w, known, version, nil)
	if err != nil {
		return p, err
	}
	p.Live = []resource.Instance{{
		Ref: resource.Ref{ID: known.UID, Generation: known.generation}, Hash: w.object.Hash(), Spec: p.Stored, Health: h, Running: true,
	}}
	if h.State == resource.Well && !known.Settled {
		l.engine.unneeded(l.identity, w.kind, known.Namespace, known.Name)
	}
	l.markJob(&p, w)
	return p, nil
}

// unlabelled looks for an object that the watches do not show as the app's: it is
// not there, or has lost its label, or is somebody else's. there tells that they show it
// as another app's.
func (l *look) unlabelled(ctx context.Context, p resource.Pair, w *wanted, known entry, there bool) (resource.Pair, error) {
	asOf, err := time.Now(), error(nil)
	if !there {
		there, asOf, err = l.engine.exists(ctx, l.identity, w, known.put)
	}
	if err != nil {
		return p, err
	}
	l.lookedAt(asOf)
	var live *unstructured.Unstructured
	if there {
		live, err = l.get(ctx, w)
	}
	switch {
	case !there || apierrors.IsNotFound(err):
		l.ledger.dropKnown(w.object.Key, known)
		return p, nil
	case err != nil:
		return p, classified(err, "look at "+w.object.Key.String())
	}
	uid := string(live.GetUID())
	// One that was ours, and is labelled as another's by now, has been taken over.
	if mine(live, l.engine.agent, l.app) || known.UID == uid && known.Own != "" && !labelled(live) || l.isAdopted(uid) {
		return l.compareWith(ctx, p, w, live)
	}
	l.ledger.dropKnown(w.object.Key, known)
	p.Live = []resource.Instance{{
		Ref: resource.Ref{ID: uid, Generation: live.GetGeneration()}, Running: true, Foreign: true,
		Maker: makerOf(live), Holder: holderOf(live, l.engine.agent), Spec: p.Stored,
	}}
	return p, nil
}

// brings names the wanted CustomResourceDefinition that serves the object's kind;
// empty where none does.
func (l *look) brings(o resource.Object) string {
	u, err := decoded(o)
	if err != nil {
		return ""
	}
	for _, other := range l.want {
		if other.Key.Kind == "CustomResourceDefinition" && defines(other, u.GroupVersionKind().Group, u.GetKind()) {
			return other.Key.String()
		}
	}
	return ""
}
