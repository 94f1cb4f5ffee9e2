package reconcile

import (
	"context"
	"fmt"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/state"
)

// unseenDigest stands for what an app asks for where that could not be rendered.
const unseenDigest = "unseen"

// change puts a new set: prepare, record the attempt, roll out, soak, and make
// it good; or find out why not, and go back.
func (p *pass) change(ctx context.Context, cand *candidate) verdict {
	if v, blocked := p.standsInTheWay(ctx, cand); blocked {
		return p.keepGood(ctx, v)
	}
	ctx, done := p.interruptibly(ctx)
	defer done()
	plan, v, ok := p.prepare(ctx, cand)
	p.why("the plan has %d steps", len(plan.Steps))
	switch {
	case !ok:
		return v
	case p.agent.opts.ReadOnly:
		return verdict{outcome: Pending, reason: fmt.Sprintf("revision %s would change %s: read-only", cand.set.Revision.Short(), services(plan))}
	case p.stubborn.gaveUp(cand.set.Digest, plan) && !p.will.asked:
		return p.stands(plan)
	}
	return p.carryOut(ctx, cand, plan)
}

// interruptibly lets a newer input, and a person's word, end what the pass waits
// for with the returned context, until done is called.
func (p *pass) interruptibly(ctx context.Context) (waits context.Context, done func()) {
	if p.life != nil { // it is already
		return ctx, func() {}
	}
	p.life = ctx
	waits, cancel := context.WithCancelCause(ctx)
	p.interruptible(p.wanted, cancel)
	if c := p.agent.catalog.Load(); c != nil && c != p.catalog { // it came before anybody could end this pass
		p.agent.preempt(waits, p.worker, c, wish{})
	}
	return waits, func() {
		p.uninterruptible()
		cancel(nil)
		p.life = nil
	}
}

// uninterruptible lets the pass go on to its end, whoever comes.
func (p *pass) uninterruptible() { p.interruptible("", nil) }

// carryOut runs the plan of a recorded attempt.
func (p *pass) carryOut(ctx context.Context, cand *candidate, plan apply.Plan) verdict {
	p.record.Halted = ""
	if err := p.saveBegun(cand.set, plan); err != nil {
		return verdictOf(err)
	}
	rollout := p.rollout(ctx)
	outcome := p.roll(ctx, rollout, plan)
	if err := p.bookJobs(outcome.Completed...); err != nil {
		return verdictOf(err)
	}
	if outcome.OK() && !outcome.Degraded() {
		outcome = p.soak(ctx, rollout, plan, outcome)
	}
	if outcome.Err != nil {
		return verdictOf(outcome.Err)
	}
	return p.conclude(ctx, cand, plan, outcome)
}

// saveBegun writes the attempt, and tells that it was begun: once, and only where
// something is to be done.
func (p *pass) saveBegun(set state.Set, plan apply.Plan) error {
	if p.resumed || plan.Empty() {
		return p.save()
	}
	return p.saveWith(p.line(kindSync, syncStarted, set.Revision))
}

// soak watches what is healthy, and returns the outcome with what became of it.
// No newer input ends that, or frequent merges would never become good; a person
// may.
func (p *pass) soak(ctx context.Context, rollout *apply.Rollout, plan apply.Plan, outcome apply.Outcome) apply.Outcome {
	p.undisturbed()
	begun := time.Now()
	outcome.Err = p.aside(ctx, func() error {
		failure, err := rollout.Soak(ctx, plan, outcome, p.config().Soak())
		if failure != nil {
			outcome.Failures = append(outcome.Failures, *failure)
		}
		return err
	})
	p.spent("soak", &p.result.Phases.Soak, time.Since(begun))
	return outcome
}

// conclude draws the consequence of a rollout that came to an end.
func (p *pass) conclude(ctx context.Context, cand *candidate, plan apply.Plan, outcome apply.Outcome) verdict {
	p.result.Failures = outcome.Failures
	switch {
	case len(outcome.Failures) > 0:
		return p.failed(ctx, cand, outcome)
	case outcome.Degraded():
		return degradedVerdict(outcome)
	}
	return p.promote(ctx, cand, plan)
}

// degradedVerdict says whose fault it is that a rollout that went through is not
// yet good: the change's own first.
func degradedVerdict(o apply.Outcome) verdict {
	v := verdict{
		outcome: Degraded, reason: "something that this change waits for was failing before",
		hint: "this change is not to blame; it is good as soon as the rest is healthy",
	}
	for _, f := range o.Tolerated {
		switch {
		case f.Step.Tidy:
		case f.Step.Innocent:
			before := "was failing before this change and still is: "
			v.reason, v.says = before+f.String(), before+failure(f)
		default:
			tolerated := "failed, which update_config tolerates: "
			return verdict{
				outcome: Degraded, reason: tolerated + f.String(), says: tolerated + failure(f),
				hint: "the revision is good as soon as all of it is healthy: mend it by a commit",
			}
		}
	}
	return v
}

func blockedVerdict(app string, plan apply.Plan) verdict {
	v := verdict{outcome: Blocked, reason: plan.Blocked[0]}
	for _, line := range plan.Blocked[1:] {
		v.reason += "; " + line
	}
	v.hint = "if it is to be taken over: syncd adopt " + app
	if len(plan.Consents) > 0 {
		v.hint = "to consent: syncd approve " + app + " --plan " + plan.Digest()
	}
	return v
}

// causeOf prefers the reason for which a context ended to what it broke.
func causeOf(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
