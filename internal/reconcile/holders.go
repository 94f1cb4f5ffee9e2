package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// observer looks at a target: that of passes, or that of questions.
type observer func(ctx context.Context, want []resource.Object, owned apply.Owned) ([]resource.Pair, error)

// observed looks at the app's slots. On a cluster all apps share one set of names:
// what another app of this agent has and wants no more is taken over from it where
// this one wants it, and what another app wants is not this one's to remove.
func (w *worker) observed(ctx context.Context, c *catalog, observe observer, want []resource.Object, owned apply.Owned) ([]resource.Pair, error) {
	pairs, err := observe(ctx, want, owned)
	if err != nil || !w.agent.onCluster() || c == nil || c.blind {
		return pairs, err
	}
	if given := w.given(ctx, c, pairs); len(given) > 0 {
		owned.Adopted = slices.Concat(owned.Adopted, given)
		if pairs, err = observe(ctx, want, owned); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(pairs, func(p resource.Pair) bool { return p.Want == nil && w.goesOver(ctx, c, p.Key) }), nil
}

// given are the instances in wanted slots that another app of this agent has, and
// does not want any more.
func (w *worker) given(ctx context.Context, c *catalog, pairs []resource.Pair) []resource.Ref {
	var out []resource.Ref
	for _, p := range pairs {
		for _, live := range p.Live {
			if p.Want == nil || live.Holder == "" || live.Holder == w.name {
				continue
			}
			if !w.other(c, live.Holder).wants(ctx, c, p.Key) {
				out = append(out, live.Ref)
			}
		}
	}
	return out
}

// other is the worker of another app of the catalog; nil where there is none.
func (w *worker) other(c *catalog, name string) *worker {
	peers := w.peers(c)
	i, here := slices.BinarySearchFunc(peers, name, func(o *worker, name string) int { return strings.Compare(o.name, name) })
	if !here || name == w.name {
		return nil
	}
	return peers[i]
}

// goesOver tells whether another app wants the slot.
func (w *worker) goesOver(ctx context.Context, c *catalog, key resource.Key) bool {
	return slices.ContainsFunc(w.seekers(ctx, c, key), func(o *worker) bool { return o.wants(ctx, c, key) })
}

// wants tells whether the app wants the slot by the catalog, as far as that can be
// told: where it cannot be rendered, or stays out, whether it has it. An app that is
// not there wants nothing.
func (w *worker) wants(ctx context.Context, c *catalog, key resource.Key) bool {
	if w == nil {
		return false
	}
	set, _ := w.due(ctx, c)
	return hasSlot(set.Objects, key)
}

func hasSlot(objects []resource.Object, key resource.Key) bool {
	return slices.ContainsFunc(objects, func(o resource.Object) bool { return o.Key == key })
}

// claims are the slots of a cluster that apps want, each with the app that came
// first.
type claims map[resource.Key]string

// claimed finds an object that another app wants, too, and came first with: who has
// it keeps it. take makes what nobody claims this app's.
func (w *worker) claimed(ctx context.Context, c *catalog, want []resource.Object, take bool) (verdict, bool) {
	if !w.agent.onCluster() || c.blind {
		return verdict{}, false
	}
	for _, o := range want {
		first := w.agent.claimant(o.Key, w.name, take)
		if first == w.name {
			continue
		}
		if !w.other(c, first).wants(ctx, c, o.Key) {
			w.agent.passOn(o.Key, first, w.name, take)
			continue
		}
		return verdict{outcome: Blocked,
			reason: fmt.Sprintf("%s of app %s in %s is wanted by app %s in %s too, which has it", o.Key, w.name, c.apps[w.name].Dir, first, c.apps[first].Dir),
			hint:   w.agent.idiom().apart}, true
	}
	return verdict{}, false
}

// claimant is the app that came first with a slot: name, where none did before.
func (a *Agent) claimant(key resource.Key, name string, take bool) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if first, claimed := a.claims[key]; claimed {
		return first
	}
	if take {
		a.claims[key] = name
	}
	return name
}

// passOn makes a slot another app's, if it still is the first's.
func (a *Agent) passOn(key resource.Key, first, to string, take bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if take && a.claims[key] == first {
		a.claims[key] = to
	}
}

// remember claims what an app has by its record.
func (c claims) remember(rec state.Record) {
	if rec.Good == nil || rec.Released {
		return
	}
	for _, o := range rec.Good.Objects {
		if c[o.Key] == "" {
			c[o.Key] = rec.App
		}
	}
}
