package reconcile

import (
	"context"
	"fmt"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// steady looks for drift against the good set and repairs it, or only reports
// it. A failed repair is no reason to go back: this set is what one goes back to.
func (p *pass) steady(ctx context.Context, good state.Set) verdict {
	pairs, report, err := p.observe(ctx, good.Objects)
	if err != nil {
		return verdictOf(causeOf(ctx, err))
	}
	p.result.Report = report
	ours, _ := apart(pairs, report)
	p.notice(ours, good)
	left := p.spare(ours)
	plan, err := p.planRepair(pairs, report, left)
	if err != nil {
		return verdictOf(err)
	}
	p.result.Plan = plan
	switch {
	case len(plan.Blocked) > 0:
		return blockedVerdict(p.name, plan)
	case plan.Empty() && len(left.keys) > 0:
		return left.verdict(p.name)
	case plan.Empty():
		return p.askConsent(plan, p.wellness(ctx, pairs, ours), doneAlready)
	case !p.heals():
		return verdict{outcome: Pending, reason: drifted + firstLine(ours), hint: p.pendingHint()}
	case p.will.noHealing():
		if v, held := p.heldBack(drifted + firstLine(ours)); held {
			return v
		}
	}
	ctx, done := p.interruptibly(ctx)
	defer done()
	v := p.repair(ctx, left.rest(ours), plan, left)
	if len(left.fights) > 0 {
		return besides(left.verdict(p.name), v)
	}
	v.opens = left.due
	return v
}

// asWanted tells whether nothing but what is wanted is there, each as it is wanted, on
// a cluster, where nothing else can come of a plan: most passes find that.
func asWanted(pairs []resource.Pair, report drift.Report) bool {
	for i, pair := range pairs {
		if pair.Want == nil || !pair.Alone || len(pair.Live) != 1 || report.Findings[i].Class != drift.InSync {
			return false
		}
	}
	return true
}

func (p *pass) pendingHint() string {
	if p.agent.opts.ReadOnly {
		return "this agent is read-only"
	}
	return "sync.selfHeal is false; to repair it: syncd sync " + p.name
}

// drifted begins the reason of a pass that found drift and left it there.
const drifted = "drift: "

// repaired begins the reason of a pass that repaired drift.
const repaired = "repaired drift: "

// repair carries a plan against drift out.
func (p *pass) repair(ctx context.Context, report drift.Report, plan apply.Plan, left spared) verdict {
	plan, err := p.restock(ctx, plan, left)
	if err == nil {
		err = p.validate(ctx, plan)
	}
	if err == nil {
		err = p.beginRepair(plan)
	}
	if err != nil {
		return verdictOf(causeOf(ctx, err))
	}
	p.agent.hear(Event{App: p.name, Text: drifted + firstLine(report)})
	outcome := p.roll(ctx, p.rollout(ctx), plan)
	p.result.Failures = outcome.Failures
	switch {
	case outcome.Err != nil:
		if ctx.Err() == nil { // else it was cut short
			p.failRepair()
		}
		return verdictOf(outcome.Err)
	case len(outcome.Failures) > 0:
		p.failRepair()
		return verdict{outcome: Degraded, hint: outcome.Failures[0].Hint}.and("repair failed: "+reasonOf(outcome.Failures[0]), "repair failed: "+failure(outcome.Failures[0]))
	}
	p.endRepair(plan)
	v := p.askConsent(plan, verdict{outcome: Applied, reason: repaired + firstLine(report)}, doneAlready)
	if v.outcome != Applied {
		v.meanwhile = repaired + firstLine(report)
	}
	return v
}

// restock sees that what the repair puts is here, and returns the plan as it is
// then.
func (p *pass) restock(ctx context.Context, plan apply.Plan, left spared) (apply.Plan, error) {
	moved, err := p.stock(ctx, plan)
	if err != nil || !moved {
		return plan, err
	}
	pairs, report, err := p.observe(ctx, p.record.Good.Objects)
	if err != nil {
		return plan, err
	}
	p.result.Report = report
	p.result.Plan, err = p.planRepair(pairs, report, left)
	return p.result.Plan, err
}

// wellness judges a good set that is in sync: does it also feel well?
func (p *pass) wellness(ctx context.Context, pairs []resource.Pair, report drift.Report) verdict {
	for _, pair := range pairs {
		if pair.Want == nil || pair.Want.Once {
			continue
		}
		for _, live := range pair.Live {
			if live.Health.State == resource.Failed {
				return p.unwell(ctx, pair, live)
			}
		}
	}
	if !report.InSync() && !p.config().Prune() {
		return verdict{outcome: Pending, reason: firstLine(report), hint: "sync.prune is false"}
	}
	return verdict{outcome: Unchanged}
}

// unwell reports or restarts an instance of the good set that turned unhealthy.
func (p *pass) unwell(ctx context.Context, pair resource.Pair, live resource.Instance) verdict {
	p.about = append(p.about, pair.Key)
	idiom := p.agent.idiom()
	degraded := func(done, hint string) verdict {
		v := verdict{outcome: Degraded, reason: fmt.Sprintf("%s: %s", pair.Key, live.Health.Reason), says: failing(pair.Key, live.Health), hint: hint}
		return v.and(done, done)
	}
	stopper, stops := p.target.(apply.Stopper)
	switch {
	case !p.config().RestartUnhealthy() || p.agent.opts.ReadOnly:
		return degraded("", idiom.worse(pair.Key))
	case !stops:
		return degraded("; health.onUnhealthy: restart does nothing here, for the "+idiom.place+" restarts by itself what its probes find dead", "look at its log: "+idiom.logs(pair.Key))
	case !p.withinBudget(pair.Want.Group):
		return degraded("; restarted as often as health.budget allows", "look at its log: "+idiom.logs(pair.Key))
	}
	if err := p.restart(ctx, stopper, pair, live); err != nil {
		return verdictOf(err)
	}
	return degraded("; restarted", "syncd history "+p.name)
}

// withinBudget counts a restart of the service, and says whether it is allowed
// in this hour.
func (p *pass) withinBudget(group string) bool {
	now := p.agent.opts.Now()
	var recent []time.Time
	for _, at := range p.record.Restarts[group] {
		if now.Sub(at).Abs() < time.Hour { // a clock that was set back would make them count for ever
			recent = append(recent, at)
		}
	}
	if len(recent) >= p.config().RestartBudget() {
		return false
	}
	if p.record.Restarts == nil {
		p.record.Restarts = map[string][]time.Time{}
	}
	p.record.Restarts[group] = append(recent, now)
	return true
}

// apart separates what an app's own slots say from what else is there in its name
// and stands in nobody's way: that is no drift, and is told as a note.
func apart(pairs []resource.Pair, report drift.Report) (ours drift.Report, strange []string) {
	for i, f := range report.Findings {
		if f.Class == drift.Foreign && pairs[i].Want == nil {
			strange = append(strange, fmt.Sprintf("%s is left alone: %s", f.Key, f.Reason))
			continue
		}
		ours.Findings = append(ours.Findings, f)
	}
	return ours, strange
}

func driftLines(report drift.Report) []string {
	var out []string
	for _, f := range report.Different() {
		out = append(out, f.String())
	}
	return out
}

func firstLine(report drift.Report) string {
	different := report.Different()
	if len(different) == 0 {
		return ""
	}
	f := different[0]
	line := fmt.Sprintf("%s %s", f.Key, f.Class)
	if len(f.Changes) > 0 {
		line += " " + f.Changes[0].String()
	}
	if n := len(different) - 1; n > 0 {
		line += fmt.Sprintf(" and %d more", n)
	}
	return line
}
