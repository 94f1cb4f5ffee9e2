package apply

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// Soak watches every instance of a finished rollout for d: each must stay
// healthy and must not restart. It returns the first failure, or nil; err is why
// there is no verdict. Jobs are not watched: they have ended.
func (r *Rollout) Soak(ctx context.Context, plan Plan, o Outcome, d time.Duration) (*Failure, error) {
	x := &run{Rollout: r.withDefaults(), plan: plan}
	watched := soaking(plan, o)
	pause := x.Poll
	if _, ok := x.Target.(Noticer); ok { // a look at it costs no request, and is one of many
		pause = min(seldom*x.Poll, max(d, x.Poll))
	}
	var unseen error
	for left := d; left > 0; left -= pause {
		if !sleep(ctx, min(pause, left)) {
			return nil, context.Cause(ctx)
		}
		unseen = nil
		for _, s := range watched {
			f, blind, err := x.soakOne(ctx, s, o)
			if f != nil || err != nil {
				return f, err
			}
			unseen = cmp.Or(unseen, blind)
		}
	}
	return nil, unseen
}

// soakOne looks at one instance; blind is why that has shown nothing, which is no
// failure: the next look may.
func (x *run) soakOne(ctx context.Context, s Step, o Outcome) (f *Failure, blind, err error) {
	ref := o.Made[s.Key]
	h, away, err := x.look(ctx, s.Key, ref)
	switch {
	case ctx.Err() != nil:
		return nil, nil, context.Cause(ctx)
	case err != nil:
		return nil, nil, err
	case away: // what it finds now, it may have caused by itself
		return nil, nil, fault.As(fault.Unreachable, fmt.Errorf("the target was away while %s was watched: it is watched anew", s.Key))
	case h.Unseen:
		return nil, fault.As(fault.Unreachable, fmt.Errorf("%s: %s, at the end of its soak: it is watched anew", s.Key, orUnknown(h.Reason))), nil
	}
	var reason string
	switch {
	case h.Restarts > o.Restarts[s.Key]:
		reason = "restarted in its soak: " + orUnknown(h.Reason)
	case h.State == resource.Absent:
		reason = "disappeared in its soak"
	case h.State != resource.Well:
		reason = "did not stay healthy: " + orUnknown(h.Reason)
	default:
		return nil, nil, nil
	}
	w := &watcher{run: x, step: s, ref: ref}
	f = w.failure(ctx, h, reason).failure
	f.Class = fault.Unhealthy
	return f, nil, nil
}

// soaking are the awaits whose instances live on: one per slot, the last.
func soaking(plan Plan, o Outcome) []Step {
	var out []Step
	for _, s := range slices.Backward(plan.Steps) {
		if s.Verb != Await || s.Until != resource.Healthy || s.Key.Kind == routeKind || s.Innocent || o.tolerated(s.Key) {
			continue
		}
		if _, made := o.Made[s.Key]; !made || slices.ContainsFunc(out, func(t Step) bool { return t.Key == s.Key }) {
			continue
		}
		out = append(out, s)
	}
	slices.Reverse(out)
	return out
}
