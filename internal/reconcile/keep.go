package reconcile

import (
	"context"
	"fmt"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/state"
)

// keepGood looks after what runs while the wanted set stays out: the good set, or
// what an attempt that was cut short has made of it. The verdict stays what it
// is, unless that is in trouble itself.
func (p *pass) keepGood(ctx context.Context, v verdict) verdict {
	switch {
	case p.record.Attempt != nil:
		return p.unfinished(ctx, v)
	case p.record.Good == nil || p.record.Halted != "":
		return v
	}
	return besides(v, p.steady(ctx, *p.record.Good))
}

// unfinished ends an attempt that was cut short, for half a change helps nobody.
// Where what is wanted now is held, that is what holds, and the good set is put
// back. Else the attempt is what was wanted last and can be put: it is gone on
// with, and judged like any other.
func (p *pass) unfinished(ctx context.Context, v verdict) verdict {
	begun := *p.record.Attempt
	if p.agent.opts.ReadOnly || p.finishing || begun.Set.Digest == p.wanted {
		return v
	}
	p.finishing = true
	if v.outcome == Held {
		return besides(v, p.undo(ctx, begun))
	}
	w := p.change(ctx, &candidate{set: begun.Set})
	if w.outcome == Applied || w.outcome == Unchanged {
		w.outcome, w.reason = Applied, fmt.Sprintf("revision %s, which was under way, is finished", begun.Set.Revision.Short())
	}
	return besides(v, w)
}

// undo goes back from an attempt that nobody judged.
func (p *pass) undo(ctx context.Context, begun state.Attempt) verdict {
	cut := fmt.Sprintf("revision %s was cut short", begun.Set.Revision.Short())
	if why := p.noWayBack(begun.Set, apply.Outcome{}); why != "" {
		return p.halt(ctx, begun.Set.Revision, cut, apply.Outcome{}, why)
	}
	v := p.goBack(ctx, nil)
	if v.outcome == RolledBack {
		v.outcome, v.reason = Applied, cut+", and is undone"
	}
	return v
}

// besides adds to a verdict how it went with what runs meanwhile; where that is
// the graver matter, it is the verdict.
func besides(v, w verdict) verdict {
	if v.opens.IsZero() {
		v.opens = w.opens
	}
	switch w.outcome {
	case Superseded, RolledBack, Halted:
		return w
	case Unreachable:
		v.cause = ""                  // more stands in the way than the time
		if v.outcome != Unreachable { // one outage is told once, and what stands is no other for it
			v = v.and("; besides: "+w.reason, "")
		}
	case Degraded, Rejected:
		v.cause = ""
		v = v.and("; besides: "+w.reason, "; besides: "+w.said())
	case Applied:
		v.meanwhile = w.reason
	case Blocked: // which what was done may be, too
		v.meanwhile = w.meanwhile
	}
	return v
}
