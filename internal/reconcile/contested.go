package reconcile

import (
	"context"
	"fmt"
	"slices"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// others are the workers of the catalog's other apps, in name order.
func (w *worker) others(c *catalog) ([]*worker, error) {
	all, err := w.party, error(nil)
	if all == nil {
		all, err = w.agent.known(nil)
	}
	return slices.DeleteFunc(slices.Clone(all), func(o *worker) bool {
		_, here := c.apps[o.name]
		return !here || o.name == w.name
	}), err
}

// contested finds the app that keeps this one from having what it wants of the
// host: who has it keeps it, and else the first by name gets it, whichever of
// them passes first. The other waits, and nothing of it is put.
func (w *worker) contested(ctx context.Context, c *catalog, rec state.Record, want []resource.Object) (verdict, bool) {
	ours := demands(want)
	if len(ours) == 0 {
		return verdict{}, false
	}
	others, err := w.others(c)
	if err != nil {
		return verdictOf(err), true
	}
	for _, o := range others {
		theirs := o.wanted(ctx, c)
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

// wanted is what the app is to have of the host by the catalog, as far as that can
// be told: where it cannot be rendered, or stays out, what it has.
func (w *worker) wanted(ctx context.Context, c *catalog) []demand {
	rec := w.read()
	if rec.Released {
		return nil
	}
	if cand := w.fit(ctx, c, rec); cand != nil {
		if course, _ := decide(rec, cand.set, will{auto: true}); course != hold {
			return w.demanded(cand.set)
		}
	}
	if rec.Good == nil {
		return nil
	}
	return w.demanded(*rec.Good)
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
// none. What cannot be rendered stays so: it is not tried anew for each of them.
func (w *worker) fit(ctx context.Context, c *catalog, rec state.Record) *candidate {
	w.mu.Lock()
	unfit := w.unfit == c
	w.mu.Unlock()
	if unfit {
		return nil
	}
	cand, err := w.candidate(ctx, c, rec)
	if err == nil {
		return cand
	}
	if fault.Of(err) == fault.Rejected {
		w.mu.Lock()
		w.unfit = c
		w.mu.Unlock()
	}
	return nil
}
