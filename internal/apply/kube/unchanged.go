package kube

import (
	"bytes"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"syncd.io/syncd/internal/resource"
)

// unchanged is the pair of an object that is as it was when it was last found equal,
// and feels as it did then; false where that takes a closer look. It is what nearly
// every look at nearly every object comes to: it reads no manifest.
func (l *look) unchanged(o *resource.Object) (p resource.Pair, ok bool) {
	known, ok := l.ledger.get(o.Key)
	if !ok || o.Once || o.Check != nil || l.isScaled(o.Key) || known.stale(l.begun) || known.Want != o.Hash() {
		return p, false
	}
	k, ok := l.engine.kinds.known(schema.FromAPIVersionAndKind(known.APIVersion, known.Kind))
	if !ok || !known.Settled && k.quiet { // it has had a check of its own
		return p, false
	}
	s := l.engine.whole(l.identity.name, k, known.Namespace)
	if s == nil {
		return p, false
	}
	item, err := s.item(k, known.Namespace, known.Name)
	if err != nil || item == nil {
		return p, false
	}
	seen := sight(k, item)
	if !l.isAsKnown(&seen, &known) {
		return p, false
	}
	feels := known.Health
	switch {
	case known.Settled:
		feels = fine()
	case feels.State == resource.Well:
		l.engine.unneeded(l.identity, k, known.Namespace, known.Name)
	}
	return resource.Pair{
		Key: o.Key, Group: o.Group, Want: o, Stored: o.Spec, InPlace: []string{""}, Alone: true,
		Aside: seen.strange, Kept: keptAnew(k.gvk) || bytes.Contains(o.Spec, []byte(`"`+KeepAnnotation+`":"keep"`)),
		Live: []resource.Instance{{
			Ref: resource.Ref{ID: known.UID, Generation: known.generation}, Hash: known.Want, Spec: o.Spec, Health: feels, Running: true,
		}},
	}, true
}

// isAsKnown tells whether what a watch shows of an object is what was found equal.
func (l *look) isAsKnown(seen *sighting, known *entry) bool {
	if known.fresh && older(seen, *known) { // the watch has not caught up with our own put
		return false
	}
	return seen.app == l.app && seen.uid == known.UID && seen.own == known.Own && !seen.deleting && len(seen.scaled) == 0 &&
		(known.Settled || known.HealthAt == seen.version)
}
