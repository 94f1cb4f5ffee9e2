package reconcile

import (
	"context"
	"fmt"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// pass is one look at one app, from what is wanted to one outcome. It runs
// while its worker owns the record.
type pass struct {
	*worker
	catalog *catalog
	app     render.App
	will    will
	result  Result
	// life is the context that only the agent's end ends: a newer revision ends
	// an attempt, and not the way back from it.
	life context.Context //nolint:containedctx // it is the pass's own, one level up
}

// pass runs one pass and books its result.
func (w *worker) pass(ctx context.Context, c *catalog, asked bool) (Result, error) {
	var res Result
	err := w.own(ctx, func() error {
		if err := take(ctx, w.agent.slots); err != nil {
			return err
		}
		defer func() { <-w.agent.slots }()
		defer w.setBusy(false)
		defer w.forget(w.record.Clone())
		p := &pass{worker: w, catalog: c, app: c.apps[w.name]}
		p.will = will{auto: p.app.Config.AutoSync(), asked: asked}
		res = p.run(ctx)
		if ctx.Err() != nil {
			return p.save() // cut short by the agent's end, which is no verdict
		}
		return p.book(res)
	})
	return res, err
}

func (p *pass) run(ctx context.Context) Result {
	now := p.agent.opts.Now()
	p.result = Result{App: p.name, Started: now, Revision: p.catalog.snapshot.Revision}
	v := p.judge(ctx)
	if ctx.Err() != nil && v.outcome == Unreachable {
		v.reason, v.hint = "cut short: "+context.Cause(ctx).Error(), "the next pass goes on where this one ended"
	}
	p.result.Outcome, p.result.Reason, p.result.Hint = v.outcome, v.reason, v.hint
	p.result.Duration = p.agent.opts.Now().Sub(now)
	return p.result
}

// judge goes the way of one pass: what stands in its way, what is wanted, what
// to do about it.
func (p *pass) judge(ctx context.Context) verdict {
	if p.record.Released {
		return verdict{outcome: Paused, reason: "released: syncd leaves it alone", hint: "syncd adopt " + p.name}
	}
	if pause := paused(p.record, p.agent.opts.Now()); pause != nil {
		return verdict{outcome: Paused, reason: fmt.Sprintf("paused by %s: %s", pause.Who, pause.Reason), hint: "syncd resume " + p.name}
	}
	if a := p.record.Attempt; a != nil && a.Back && !p.agent.opts.ReadOnly {
		return p.resumeRollback(ctx, *a)
	}
	if _, wanted := p.catalog.apps[p.name]; !wanted {
		return p.vanished(ctx)
	}
	begun := time.Now()
	cand, err := p.candidate(ctx, p.catalog, p.record)
	p.result.Phases.Render = time.Since(begun)
	if err != nil {
		return p.keepGood(ctx, verdictOf(err))
	}
	p.result.Notes = append(p.result.Notes, cand.notes...)
	switch course, v := decide(p.record, cand.set, p.will); course {
	case settle:
		return p.settled(ctx, cand)
	case change:
		return p.change(ctx, cand)
	default:
		return p.keepGood(ctx, v)
	}
}

// keepGood looks after the good set while the wanted one stays out; the verdict
// stays what it is, unless the good set itself is in trouble.
func (p *pass) keepGood(ctx context.Context, v verdict) verdict {
	if p.record.Good == nil || p.record.Halted != "" || p.record.Attempt != nil {
		return v
	}
	switch w := p.steady(ctx, *p.record.Good); w.outcome {
	case Unreachable, Degraded:
		v.reason += "; besides: " + w.reason
	case Applied:
		v.reason += "; meanwhile: " + w.reason
	}
	return v
}

// settled books a revision that asks for what is good already, and looks for
// drift.
func (p *pass) settled(ctx context.Context, cand *candidate) verdict {
	good := *p.record.Good
	good.Revision, good.Inputs = cand.set.Revision, cand.set.Inputs
	good.Paths, good.Variables = cand.set.Paths, cand.set.Variables
	p.record.Good, p.record.Dir = &good, p.app.Dir
	if h := p.record.Held; h != nil && h.Inputs != good.Inputs {
		p.record.Held = nil
	}
	return p.steady(ctx, good)
}

// owned is what is ours on the target.
func (p *pass) owned() apply.Owned {
	return ownedBy(p.record, p.catalog)
}

// observe looks at the target and compares.
func (p *pass) observe(ctx context.Context, want []resource.Object) ([]resource.Pair, drift.Report, error) {
	begun := time.Now()
	pairs, err := p.target.Observe(ctx, want, p.owned())
	p.result.Phases.Observe += time.Since(begun)
	if err != nil {
		return nil, drift.Report{}, fmt.Errorf("observe app %s: %w", p.name, err)
	}
	return pairs, drift.Compare(pairs, comparing(p.record, p.catalog)), nil
}

func doneJobs(rec state.Record) map[string]bool {
	done := make(map[string]bool, len(rec.Done))
	for h := range rec.Done {
		done[h] = true
	}
	return done
}

// rollout makes the executor for one plan; from now on the app is progressing.
func (p *pass) rollout() *apply.Rollout {
	p.setBusy(true)
	o := p.agent.opts
	return &apply.Rollout{Target: p.target, Poll: o.Poll, Patience: o.Patience, Grace: o.Grace, Watch: func(e apply.Event) {
		p.agent.hear(Event{App: p.name, Step: &e})
	}}
}

// consented tells whether a person approved the plan as it is printed.
func (p *pass) consented(plan apply.Plan) bool {
	digest := plan.Digest()
	for _, a := range p.record.Approvals {
		if a.Plan == digest {
			return true
		}
	}
	return false
}

// plan decides what to do, with consent where a person gave it to the very plan
// that needs it.
func (p *pass) plan(req apply.Request) (apply.Plan, error) {
	plan, err := apply.NewPlan(req)
	if err != nil || len(plan.Consents) == 0 || !p.consented(plan) {
		return plan, err
	}
	req.Consented = true
	return apply.NewPlan(req)
}

func (p *pass) config() config.App { return p.app.Config }
