package reconcile

import (
	"context"
	"fmt"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/fault"
)

// vanished looks after an app that the repository no longer asks for on this
// host. It is removed only with consent that is bound to the printed plan; until
// then what runs goes on.
func (p *pass) vanished(ctx context.Context) verdict {
	if p.record.Good == nil && p.record.Attempt == nil && p.record.Halted == "" { // what halted is still there
		p.askNothing()
		return verdict{outcome: Unchanged, reason: "the repository does not ask for it"}
	}
	pairs, report, err := p.observe(ctx, nil)
	switch {
	case fault.Of(err) == fault.Blocked:
		return p.letGo(err)
	case err != nil:
		return verdictOf(causeOf(ctx, err))
	}
	p.result.Report = report
	plan, err := p.plan(apply.Request{Pairs: pairs, Report: report, Prune: true})
	if err != nil {
		return verdictOf(err)
	}
	p.result.Plan = plan
	if len(plan.Blocked) > 0 {
		return blockedVerdict(p.name, plan)
	}
	if len(plan.Consents) > 0 || p.agent.opts.ReadOnly {
		return p.askConsent(plan, verdict{outcome: Unchanged, reason: p.whyVanished()}, p.whyVanished())
	}
	if p.will.shut() {
		if v, held := p.heldBack(p.whyVanished()); held {
			return v
		}
	}
	return p.dismantle(ctx, plan)
}

func (p *pass) whyVanished() string {
	if app, ok := p.catalog.elsewhere[p.name]; ok {
		return fmt.Sprintf("%s no longer selects this host (hosts.matchLabels)", app.Dir)
	}
	return fmt.Sprintf("its directory is gone from revision %s", p.catalog.snapshot.Revision.Short())
}

func (p *pass) dismantle(ctx context.Context, plan apply.Plan) verdict {
	outcome := p.roll(ctx, p.rollout(ctx), plan)
	p.result.Failures = outcome.Failures
	switch {
	case outcome.Err != nil:
		return verdictOf(outcome.Err)
	case len(outcome.Failures)+len(outcome.Tolerated) > 0:
		return verdict{outcome: Degraded, reason: "removing it did not go through: " + firstFailure(outcome)}
	}
	if err := p.agent.handBack(ctx, p.name); err != nil {
		return verdictOf(err)
	}
	p.forgetApp()
	p.pruneImages(ctx)
	if plan.Empty() {
		return verdict{outcome: Applied, reason: p.whyVanished() + "; nothing of it is left to remove"}
	}
	return verdict{outcome: Applied, reason: p.whyVanished() + "; removed with consent"}
}

// forgetApp empties the record of an app that is gone with its data: should it
// come back, its jobs have to run again.
func (p *pass) forgetApp() {
	rec := &p.record
	p.endIncident("the app is removed")
	rec.Looked, rec.Left, rec.Mended, rec.Waits = false, nil, nil, ""
	rec.Good, rec.Attempt, rec.Past, rec.Adopted = nil, nil, nil, nil
	rec.Done, rec.Quarantine, rec.Halted, rec.Held, rec.Restarts = nil, nil, "", nil, nil
	p.askNothing()
}

func (p *pass) askNothing() { p.record.Last.Consents, p.record.Last.Plan = nil, "" }

func firstFailure(o apply.Outcome) string {
	for _, f := range append(o.Failures, o.Tolerated...) {
		return f.String()
	}
	return ""
}
