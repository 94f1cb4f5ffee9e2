package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// goBack puts the good set back by the same way as any other: a fresh look, a
// plan, a rollout; never from a memory of what was done. It happens once: a
// rollback is never rolled back.
func (p *pass) goBack(ctx context.Context, q *state.Quarantined) verdict {
	names, objects := p.runsOnRollback(p.record.Attempt.Set)
	p.tellSecrets(p.record.Attempt.Set, *p.record.Good)
	back := &state.Attempt{
		Set: *p.record.Good, Started: p.agent.opts.Now(), Back: true, Failed: q,
		Run: names, With: objects, Before: p.record.Attempt.Before,
	}
	p.record.Attempt = back
	if err := p.save(); err != nil {
		return verdictOf(err)
	}
	return p.resumeRollback(ctx)
}

// resumeRollback carries on with a rollback that is on record, also after a
// crash in its middle.
func (p *pass) resumeRollback(ctx context.Context) verdict {
	outcome, err := p.putBack(ctx)
	back := *p.record.Attempt
	switch {
	case errors.Is(err, apply.ErrTaken): // there is nothing to roll back any more
		p.record.Attempt = nil
		return verdictOf(err)
	case err != nil && fault.Of(err) != fault.Rejected:
		return verdictOf(causeOf(ctx, err))
	case err != nil:
		return p.haltBack(back, err.Error())
	case outcome.Err != nil:
		return verdictOf(outcome.Err)
	case len(outcome.Failures) > 0:
		if err := p.keepLogs(back.Set, outcome.Failures); err != nil {
			p.result.Notes = append(p.result.Notes, err.Error())
		}
		return p.haltBack(back, reasonOf(outcome.Failures[0]))
	}
	return p.backAgain(back)
}

// putBack looks afresh, plans backwards and carries it out.
func (p *pass) putBack(ctx context.Context) (apply.Outcome, error) {
	plan, err := p.planBack(ctx)
	if err != nil {
		return apply.Outcome{}, err
	}
	moved, err := p.stock(ctx, plan)
	if err == nil && moved {
		plan, err = p.planBack(ctx)
	}
	if err != nil {
		return apply.Outcome{}, err
	}
	return p.roll(ctx, p.rollout(ctx), plan), nil
}

// planBack plans the rollback that is on record. One that nobody asked for removes
// what the failed attempt made, and nothing else; one that a person asked for
// prunes like any other change of theirs.
func (p *pass) planBack(ctx context.Context) (apply.Plan, error) {
	back := *p.record.Attempt
	want := slices.Concat(back.Set.Objects, missingFrom(back.Set.Objects, back.With))
	pairs, report, err := p.observe(ctx, want)
	if err != nil {
		return apply.Plan{}, err
	}
	before := back.Before
	if before == nil { // a person asked for it: nothing was attempted
		before = healthOf(pairs)
	}
	byItself := back.Hold == nil
	plan, err := p.plan(apply.Request{
		Pairs: pairs, Report: report, AwaitAll: true, Back: true, Undo: byItself,
		Prune: byItself || p.prunes(), Run: back.Run, Before: before,
	})
	if err == nil && len(plan.Blocked) > 0 {
		err = fault.As(fault.Rejected, fmt.Errorf("blocked: %s", plan.Blocked[0]))
	}
	if err != nil {
		return plan, err
	}
	p.result.Report, p.result.Plan = report, plan
	return plan, nil
}

// prunes tells whether the app lets what is no longer wanted go; without its
// repository, nobody knows.
func (p *pass) prunes() bool { return !p.catalog.blind && p.config().Prune() }

// missingFrom returns those of extra whose slot objects do not have.
func missingFrom(objects, extra []resource.Object) []resource.Object {
	have := map[resource.Key]bool{}
	for _, o := range objects {
		have[o.Key] = true
	}
	var out []resource.Object
	for _, o := range extra {
		if !have[o.Key] {
			out = append(out, o)
		}
	}
	return out
}

// backAgain books a rollback that succeeded.
func (p *pass) backAgain(back state.Attempt) verdict {
	p.record.Attempt, p.record.Halted = nil, ""
	p.record.Mended, p.record.Looked = nil, false
	p.endIncident("revision " + back.Set.Revision.Short() + " was put back")
	v := verdict{outcome: RolledBack}
	if back.Hold != nil { // a person asked for it
		p.makeGood(back.Set)
		p.record.Held = back.Hold
		v.reason = fmt.Sprintf("%s asked for %s", back.Hold.Who, back.Set.Revision.Short())
		v.hint = "it lasts until the app's files change or: syncd resume " + p.name
		return p.askConsent(p.result.Plan, v, v.reason)
	}
	v.reason = back.Set.Revision.Short() + " is back"
	if q := back.Failed; q != nil {
		v.reason = fmt.Sprintf("revision %s failed: %s; %s is back", q.Revision.Short(), q.Reason, back.Set.Revision.Short())
		v.hint = fmt.Sprintf("syncd logs %s --attempt %s", p.name, q.Revision.Short())
	}
	return v
}

// haltBack stops after a rollback that failed: what runs is left alone, also after one
// that a person asked for, until that or another person, or a commit, says more.
func (p *pass) haltBack(back state.Attempt, why string) verdict {
	reason := "the rollback failed: " + why
	if q := back.Failed; q != nil {
		reason = fmt.Sprintf("revision %s failed: %s; and %s", q.Revision.Short(), q.Reason, reason)
	}
	p.record.Attempt, p.record.Halted = nil, reason
	if back.Hold != nil {
		p.record.Held = back.Hold
	}
	return verdict{outcome: Halted, reason: reason, hint: "look at it, mend it by a commit, or: syncd retry " + p.name}
}
