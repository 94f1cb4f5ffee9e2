package reconcile

import (
	"bytes"
	"context"
	"fmt"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// stock sees that the images of what a plan puts again are here: what was removed
// since then is fetched by its digest. Where another image store gave it another
// ID, the record says so, and moved tells that the plan has to be made anew.
func (p *pass) stock(ctx context.Context, plan apply.Plan) (moved bool, err error) {
	put := putBy(plan)
	if len(put) == 0 {
		return false, nil
	}
	now, _, err := p.pinned(ctx, put)
	if err != nil {
		return false, fmt.Errorf("fetch the images of the good revision: %w", err)
	}
	for i := range now {
		moved = moved || !bytes.Equal(now[i].Spec, put[i].Spec)
	}
	if moved {
		p.repin(put, now)
	}
	return moved, nil
}

// repin exchanges, in all that the record could put, the objects of was for those
// of now.
func (p *pass) repin(was, now []resource.Object) {
	rec := &p.record
	if rec.Good != nil {
		good := repinned(*rec.Good, was, now)
		rec.Good = &good
	}
	if rec.Attempt != nil {
		attempt := *rec.Attempt
		attempt.Set, attempt.With = repinned(attempt.Set, was, now), exchanged(attempt.With, was, now)
		rec.Attempt = &attempt
	}
	past := make([]state.Set, 0, len(rec.Past))
	for _, set := range rec.Past {
		past = append(past, repinned(set, was, now))
	}
	rec.Past = past
}

func repinned(set state.Set, was, now []resource.Object) state.Set {
	set.Objects = exchanged(set.Objects, was, now)
	return set
}

// exchanged returns a copy of objects: sets are never changed once they are made.
func exchanged(objects, was, now []resource.Object) []resource.Object {
	out := make([]resource.Object, 0, len(objects))
	for _, o := range objects {
		for i := range was {
			if was[i].Key == o.Key && bytes.Equal(was[i].Spec, o.Spec) {
				o = now[i]
				break
			}
		}
		out = append(out, o)
	}
	return out
}
