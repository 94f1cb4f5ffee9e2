package reconcile

import (
	"context"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/resource"
)

// rollout makes the executor for one plan; from now on the app is progressing.
func (p *pass) rollout(ctx context.Context) *apply.Rollout {
	p.setBusy(true)
	o := p.agent.opts
	return &apply.Rollout{Target: p.target, Poll: o.Poll, Patience: o.Patience, Grace: o.Grace, Watch: p.watch, Sign: p.work.Sign, Aside: func(wait func()) {
		// Where ctx has ended there is no place to come back to: the rollout ends.
		_ = p.aside(ctx, func() error { wait(); return nil })
	}}
}

// roll carries a plan out, and keeps how long it took and whom it let be missed.
func (p *pass) roll(ctx context.Context, rollout *apply.Rollout, plan apply.Plan) apply.Outcome {
	begun := time.Now()
	rollout.Before = p.rolled
	outcome := rollout.Run(ctx, plan)
	p.touched = p.touched || !plan.Empty()
	for key, ref := range outcome.Made {
		p.live[key] = ref
	}
	p.rolled = &outcome
	p.betray(outcome.Err)
	p.spent("rollout", &p.result.Phases.Rollout, time.Since(begun))
	p.result.Gaps = append(p.result.Gaps, outcome.Gaps...)
	for _, f := range outcome.Tolerated {
		if f.Step.Tidy { // it fails nothing, and a person has to know
			p.result.Notes = append(p.result.Notes, "tidying up did not go through: "+f.String())
		}
	}
	return outcome
}

// nobodyComes tells whether the pass's last rollout left somebody out for good:
// no way back follows it.
func (p *pass) nobodyComes() bool {
	return p.rolled != nil && p.rolled.Err == nil && (len(p.rolled.Failures) > 0 || p.rolled.Degraded() && p.result.Plan.Holds())
}

// refuse lets no new connection wait for whom this pass brings no more.
func (p *pass) refuse(ctx context.Context) {
	router, ok := p.target.(apply.Router)
	if !ok {
		return
	}
	if err := router.Refuse(ctx); err != nil {
		p.result.Notes = append(p.result.Notes, "new connections wait in vain: "+err.Error())
	}
}

// watch tells of a rollout's steps, and books a job as soon as it has ended well.
func (p *pass) watch(e apply.Event) {
	p.work.Sign()
	p.agent.hear(Event{App: p.name, Step: &e})
	if e.Phase != apply.Done || e.Step.Verb != apply.Await || e.Step.Until != resource.Completed {
		return
	}
	if err := p.bookJobs(*e.Step.Object); err != nil { // the rollout's end tries again
		p.agent.hear(Event{App: p.name, Text: err.Error()})
	}
}
