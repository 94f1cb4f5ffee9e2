package reconcile

import (
	"context"
	"fmt"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/resource"
)

// handedOver looks at an app's place on the target with what the agent's other apps
// hand over: an object that one of them has and gives up is this app's, as it is,
// and one that this app gives up and another asks for stays until that one has it.
// It is never removed on its way. notes say so.
func (w *worker) handedOver(ctx context.Context, c *catalog, owned apply.Owned, look func(apply.Owned) ([]resource.Pair, error)) (pairs []resource.Pair, notes []string, err error) {
	pairs, err = look(owned)
	if err != nil || c == nil || !w.agent.onCluster() {
		return pairs, nil, err
	}
	others, err := w.others(c)
	if err != nil {
		return nil, nil, err
	}
	if refs, notes := w.inherited(ctx, c, pairs); len(refs) > 0 {
		owned.Adopted = append(owned.Adopted[:len(owned.Adopted):len(owned.Adopted)], refs...)
		pairs, err = look(owned)
		return pairs, notes, err
	}
	out := pairs[:0:0]
	for _, p := range pairs {
		heir := ""
		if p.Want == nil && len(p.Live) > 0 && !p.Live[0].Foreign {
			heir = heirOf(ctx, c, others, p.Key)
		}
		if heir == "" {
			out = append(out, p)
			continue
		}
		notes = append(notes, fmt.Sprintf("%s stays for app %s, which asks for it now", p.Key, heir))
	}
	return out, notes, nil
}

// inherited are the wanted objects that another app of this agent has and gives up.
func (w *worker) inherited(ctx context.Context, c *catalog, pairs []resource.Pair) (refs []resource.Ref, notes []string) {
	for _, p := range pairs {
		if p.Want == nil || len(p.Live) != 1 || p.Live[0].Holder == "" || p.Live[0].Holder == w.name {
			continue
		}
		holder := p.Live[0].Holder
		if w.givenUp(ctx, c, holder, p.Key) {
			refs = append(refs, p.Live[0].Ref)
			notes = append(notes, fmt.Sprintf("%s is taken over from app %s, which gives it up", p.Key, holder))
		}
	}
	return refs, notes
}

// givenUp tells whether another app of this agent has no claim to an object any
// more. One that was released keeps what it has.
func (w *worker) givenUp(ctx context.Context, c *catalog, holder string, key resource.Key) bool {
	all, err := w.company()
	if err != nil {
		return false
	}
	_, here := c.apps[holder]
	for _, o := range all {
		if o.name == holder {
			return !o.read().Released && (!here || !o.wants(ctx, c, key))
		}
	}
	return true // nothing is known of it any more
}

// heirOf names the app that asks for an object by the catalog; empty where none
// does.
func heirOf(ctx context.Context, c *catalog, others []*worker, key resource.Key) string {
	for _, o := range others {
		rec := o.read()
		if cand := o.fit(ctx, c, rec); !rec.Released && cand != nil && has(cand.set.Objects, key) {
			return o.name
		}
	}
	return ""
}
