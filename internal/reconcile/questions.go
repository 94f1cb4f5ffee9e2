package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// questions are asked through a target of the app's own, beside the one of its
// passes: a target remembers what the last observation told it, and a rollout
// under way goes by that. It is kept, because it also remembers what is costly to
// work out.
type questions struct {
	target apply.Target
	turn   chan struct{}
}

func (a *Agent) questionsAbout(app string) questions {
	q := questions{turn: make(chan struct{}, 1)}
	if a.opts.Engine != nil {
		q.target = a.opts.Engine.Target(app)
	}
	return q
}

// observe looks at the app, one question after the other.
func (q questions) observe(ctx context.Context, want []resource.Object, owned apply.Owned) ([]resource.Pair, error) {
	if err := take(ctx, q.turn); err != nil {
		return nil, err
	}
	defer func() { <-q.turn }()
	return q.target.Observe(ctx, want, owned)
}

// pin returns the objects with their images, as far as these are here; the others
// are named in missing.
func (q questions) pin(ctx context.Context, objects []resource.Object) (pinned []resource.Object, missing []string, err error) {
	preparer, ok := q.target.(apply.Preparer)
	if !ok {
		return objects, nil, nil
	}
	if pinned, missing, err = preparer.Pin(ctx, objects, false); err != nil {
		return nil, nil, fmt.Errorf("look at the images: %w", err)
	}
	return pinned, missing, nil
}

// guests are workers for a revision that the agent does not follow: of the named
// apps, of all where none is named. They know what is on record of an app, and
// leave nothing behind.
func (a *Agent) guests(c *catalog, names []string) ([]*worker, error) {
	known, err := a.known(nil)
	if err != nil {
		return nil, err
	}
	records := map[string]state.Record{}
	for name := range c.apps {
		records[name] = state.Record{App: name}
	}
	for _, w := range known {
		records[w.name] = w.read()
	}
	all := slices.Sorted(maps.Keys(records))
	party := make([]*worker, len(all))
	for i, name := range all {
		party[i] = &worker{agent: a, name: name, questions: a.questionsAbout(name), seen: records[name], drawing: make(chan struct{}, 1)}
	}
	for _, w := range party {
		w.party = party
	}
	if len(names) == 0 {
		return party, nil
	}
	var out []*worker
	for _, name := range names {
		i, here := slices.BinarySearch(all, name)
		if !here {
			return nil, unknownApp(name, all)
		}
		out = append(out, party[i])
	}
	return out, nil
}
