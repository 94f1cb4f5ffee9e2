package reconcile

import (
	"context"
	"fmt"
	"slices"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
	"syncd.io/syncd/internal/state"
)

// change puts a new set: prepare, record the attempt, roll out, soak, and make
// it good; or find out why not, and go back.
func (p *pass) change(ctx context.Context, cand *candidate) verdict {
	if v, blocked := p.standsInTheWay(cand); blocked {
		return p.keepGood(ctx, v)
	}
	p.life = ctx
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p.interruptible(cand.set.Digest, cancel)
	defer p.interruptible("", nil)

	plan, v, ok := p.prepare(ctx, cand)
	if !ok {
		return v
	}
	if p.agent.opts.ReadOnly {
		return verdict{outcome: Pending, reason: fmt.Sprintf("revision %s would change %s: read-only", cand.set.Revision.Short(), services(plan))}
	}
	return p.carryOut(ctx, cand, plan)
}

// standsInTheWay says what must be settled before anything is put.
func (p *pass) standsInTheWay(cand *candidate) (verdict, bool) {
	if v, renamed := p.renamed(cand); renamed {
		return v, true
	}
	return p.dependencies()
}

// renamed finds the app that this one was before, by its directory, or by what it
// consists of where the directory was renamed: under another name its containers
// and volumes would be left behind, and new, empty ones made.
func (p *pass) renamed(cand *candidate) (verdict, bool) {
	if p.record.Good != nil || p.record.Attempt != nil {
		return verdict{}, false
	}
	workers, err := p.agent.known(nil)
	if err != nil {
		return verdictOf(err), true
	}
	for _, w := range workers {
		rec := w.read()
		if _, still := p.catalog.apps[w.name]; still || rec.Good == nil || rec.Dir != p.app.Dir && !sameData(rec.Good.Objects, cand.set.Objects) {
			continue
		}
		return verdict{outcome: Blocked,
			reason: fmt.Sprintf("%s was app %s in %s until now, whose containers and volumes still are there; as %s it would begin with empty volumes", p.app.Dir, w.name, rec.Dir, p.name),
			hint:   fmt.Sprintf("write name: %s into its compose file, or give the old one up: syncd plan %s", w.name, w.name)}, true
	}
	return verdict{}, false
}

// sameData tells whether two sets have the very same slots, and volumes among
// them.
func sameData(a, b []resource.Object) bool {
	same := slices.EqualFunc(resource.Sorted(a), resource.Sorted(b), func(x, y resource.Object) bool { return x.Key == y.Key })
	return same && slices.ContainsFunc(a, func(o resource.Object) bool { return o.Key.Kind == spec.KindVolume })
}

// dependencies are the apps that must be good before this one is changed.
func (p *pass) dependencies() (verdict, bool) {
	for _, name := range p.config().DependsOn {
		w, err := p.agent.known([]string{name})
		if err != nil {
			return verdict{outcome: Blocked, reason: "it depends on app " + name + ", which does not exist here", hint: fault.Advice(err)}, true
		}
		if rec := w[0].read(); rec.Good == nil || rec.Attempt != nil || rec.Halted != "" {
			return verdict{outcome: Blocked, reason: "it waits for app " + name, hint: "syncd explain " + name}, true
		}
	}
	return verdict{}, false
}

// prepare does all that can be done before anything live is touched. It returns
// false with the verdict where the change cannot go on.
func (p *pass) prepare(ctx context.Context, cand *candidate) (apply.Plan, verdict, bool) {
	interrupted := p.record.Attempt
	plan, err := p.ready(ctx, cand)
	switch {
	case err != nil && fault.Of(err) == fault.Rejected:
		return plan, p.rejected(ctx, cand, err), false
	case err != nil && fault.Of(err) == fault.Blocked: // nothing was begun, and the good set is looked after meanwhile
		p.record.Attempt = interrupted
		return plan, p.keepGood(ctx, verdictOf(err)), false
	case err != nil:
		return plan, verdictOf(causeOf(ctx, err)), false
	case len(plan.Blocked) > 0:
		return plan, blockedVerdict(p.name, plan), false
	}
	return plan, verdict{}, true
}

func (p *pass) ready(ctx context.Context, cand *candidate) (apply.Plan, error) {
	begun := time.Now()
	if err := p.pin(ctx, cand); err != nil {
		return apply.Plan{}, err
	}
	if !p.agent.opts.ReadOnly {
		if err := p.agent.materialise(ctx, cand); err != nil {
			return apply.Plan{}, err
		}
	}
	p.result.Phases.Prepare = time.Since(begun)
	pairs, report, err := p.observe(ctx, cand.set.Objects)
	if err != nil {
		return apply.Plan{}, err
	}
	p.result.Report = report
	p.begin(cand, healthOf(pairs))
	plan, err := p.plan(apply.Request{Pairs: pairs, Report: report, AwaitAll: true, Prune: p.config().Prune(), Before: p.record.Attempt.Before})
	p.result.Plan = plan
	if err != nil || p.agent.opts.ReadOnly || len(plan.Blocked) > 0 {
		return plan, err
	}
	begun = time.Now()
	err = p.validate(ctx, plan)
	p.result.Phases.Prepare += time.Since(begun)
	return plan, err
}

// pin resolves tags to what is there, once for this set.
func (p *pass) pin(ctx context.Context, cand *candidate) error {
	preparer, ok := p.target.(apply.Preparer)
	if !ok {
		return nil
	}
	pinned, missing, err := preparer.Pin(ctx, cand.set.Objects, !p.agent.opts.ReadOnly)
	if err != nil {
		return fmt.Errorf("prepare images: %w", err)
	}
	for _, image := range missing {
		p.result.Notes = append(p.result.Notes, image+" is not here and would be pulled")
	}
	cand.set.Objects, cand.pinned = pinned, len(missing) == 0
	return nil
}

// validate lets the target judge what is about to be put.
func (p *pass) validate(ctx context.Context, plan apply.Plan) error {
	preparer, ok := p.target.(apply.Preparer)
	if !ok {
		return nil
	}
	var fresh []resource.Object
	for _, s := range plan.Steps {
		if s.Verb == apply.Put && s.Object != nil && !slices.ContainsFunc(fresh, func(o resource.Object) bool { return o.Key == s.Key }) {
			fresh = append(fresh, *s.Object)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	if err := preparer.Validate(ctx, fresh); err != nil {
		return fmt.Errorf("check settings: %w", err)
	}
	return nil
}

// begin makes the attempt. What was failing before is remembered from the first
// attempt since the last good set: a later one must not find its predecessor's
// damage innocent.
func (p *pass) begin(cand *candidate, before map[resource.Key]resource.Health) {
	attempt := &state.Attempt{Set: cand.set, Started: p.agent.opts.Now(), Before: before}
	if old := p.record.Attempt; old != nil && !old.Back {
		attempt.Before, attempt.Ran = old.Before, old.Ran
		if old.Set.Digest == cand.set.Digest {
			attempt.Started = old.Started
		}
	}
	p.record.Attempt = attempt
}

func healthOf(pairs []resource.Pair) map[resource.Key]resource.Health {
	before := map[resource.Key]resource.Health{}
	for _, pair := range pairs {
		for _, live := range pair.Live {
			before[pair.Key] = live.Health
		}
	}
	return before
}

// carryOut runs the plan of a recorded attempt.
func (p *pass) carryOut(ctx context.Context, cand *candidate, plan apply.Plan) verdict {
	p.record.Halted = ""
	if err := p.save(); err != nil {
		return verdictOf(err)
	}
	rollout := p.rollout()
	begun := time.Now()
	outcome := rollout.Run(ctx, plan)
	p.result.Phases.Rollout = time.Since(begun)
	p.bookJobs(outcome)
	if outcome.Err != nil {
		return verdictOf(outcome.Err)
	}
	if outcome.OK() && !outcome.Degraded() {
		p.interruptible("", nil) // what is healthy may finish its soak
		begun = time.Now()
		failure, err := rollout.Soak(ctx, plan, outcome, p.config().Soak())
		p.result.Phases.Soak = time.Since(begun)
		if err != nil {
			return verdictOf(err)
		}
		if failure != nil {
			outcome.Failures = append(outcome.Failures, *failure)
		}
	}
	return p.conclude(ctx, cand, plan, outcome)
}

// conclude draws the consequence of a rollout that came to an end.
func (p *pass) conclude(ctx context.Context, cand *candidate, plan apply.Plan, outcome apply.Outcome) verdict {
	p.result.Failures = outcome.Failures
	switch {
	case len(outcome.Failures) > 0:
		return p.failed(ctx, cand, outcome)
	case outcome.Degraded():
		return verdict{outcome: Degraded, reason: degradedReason(outcome), hint: "this change is not to blame; it is good as soon as the rest is healthy"}
	}
	return p.promote(ctx, cand, plan)
}

func degradedReason(o apply.Outcome) string {
	for _, f := range o.Tolerated {
		if !f.Step.Tidy {
			return "was failing before this change and still is: " + f.String()
		}
	}
	return "something that this change waits for was failing before"
}

func blockedVerdict(app string, plan apply.Plan) verdict {
	v := verdict{outcome: Blocked, reason: plan.Blocked[0]}
	for _, line := range plan.Blocked[1:] {
		v.reason += "; " + line
	}
	v.hint = "if it is to be taken over: syncd adopt " + app
	return v
}

// causeOf prefers the reason for which a context ended to what it broke.
func causeOf(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
