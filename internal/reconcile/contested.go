package reconcile

import (
	"context"
	"fmt"
	"slices"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// contested finds the app that keeps this one from having what it wants of the
// host: who has it keeps it, and else the first by name gets it, whichever of
// them passes first. The other waits, and nothing of it is put.
func (w *worker) contested(ctx context.Context, c *catalog, rec state.Record, want []resource.Object) (verdict, bool) {
	ours := demands(want)
	if len(ours) == 0 {
		return verdict{}, false
	}
	for _, o := range w.rivals(ctx, c, ours) {
		set, _ := o.due(ctx, c)
		theirs := o.demanded(set)
		for _, x := range contest(ours, theirs) {
			has, had := holding(rec, theirs, x.flipped()), holding(o.read(), ours, x)
			if has && !had || has == had && w.name < o.name {
				continue
			}
			why := "whose name comes first"
			if had {
				why = "which has it"
			}
			return verdict{outcome: Blocked,
				reason: fmt.Sprintf("%s of %s is wanted by app %s in %s too, %s", x, c.apps[w.name].File(c.tracked), o.name, c.apps[o.name].File(c.tracked), why),
				hint:   w.agent.idiom().apart}, true
		}
	}
	return verdict{}, false
}

// holding tells whether what is on record of an app has its side of a conflict
// with mine already.
func holding(rec state.Record, mine []demand, x Conflict) bool {
	var has []resource.Object
	if rec.Good != nil {
		has = append(has, rec.Good.Objects...)
	}
	if rec.Attempt != nil {
		has = append(has, rec.Attempt.Set.Objects...)
	}
	return slices.Contains(contest(mine, demands(has)), x)
}

func (c Conflict) flipped() Conflict { return Conflict{c.Theirs, c.Mine} }

// due is what the app is to have by the catalog, as far as that can be told: where it
// cannot be rendered, or stays out, what it has. It is sure where only another record
// of the app, or another catalog, would make it something else.
func (w *worker) due(ctx context.Context, c *catalog) (set state.Set, sure bool) {
	version := w.version.Load()
	rec := w.read()
	if rec.Released {
		return state.Set{}, true
	}
	cand, sure := w.fit(ctx, c, rec, version)
	if cand != nil {
		if course, _ := decide(rec, cand.set, will{auto: true}); course != hold {
			return cand.set, sure
		}
	}
	if rec.Good == nil {
		return state.Set{}, sure
	}
	return *rec.Good, sure
}

// demanded is what a set wants of the host. It is worked out once: every app that
// changes asks all others.
func (w *worker) demanded(set state.Set) []demand {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.demandsOf != set.Digest || set.Digest == "" {
		w.demandsOf, w.demands = set.Digest, demands(set.Objects)
	}
	return w.demands
}

// fit is the app's candidate for others who ask what it wants; nil where there is
// none. What cannot be rendered stays so as long as its record is the same, which is
// sure then: it is not tried anew for each of them.
func (w *worker) fit(ctx context.Context, c *catalog, rec state.Record, version uint64) (cand *candidate, sure bool) {
	w.mu.Lock()
	known := w.unfit == unfit{c, version}
	w.mu.Unlock()
	if known {
		return nil, true
	}
	cand, err := w.candidate(ctx, c, rec)
	if err == nil {
		return cand, true
	}
	if class := fault.Of(err); class != fault.Rejected && class != fault.Blocked {
		return nil, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unfit = unfit{c, version}
	return nil, true
}

// unfit tells by which catalog, and with which record, an app cannot be rendered.
type unfit struct {
	catalog *catalog
	version uint64
}
