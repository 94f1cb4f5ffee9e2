package reconcile

import (
	"context"
	"fmt"
	"slices"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/pulse"
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
	ahead   ahead
	will    will
	result  Result
	// wanted is the digest of what the app asks for now.
	wanted string
	// resumed is true where an earlier pass began this attempt, and was cut short;
	// finishing where this pass goes on with one that is no longer wanted.
	resumed, finishing bool
	// work gives the pass's signs of life.
	work *pulse.Work
	// placed tells that the pass has its place among those that change.
	placed bool
	// promoted tells that a set became good, through that the pass goes through a
	// closed window.
	promoted, through bool
	// found is the drift that was found, mending tells that it is repaired.
	found   []drift.Finding
	mending bool
	// live are the instances that were seen last, or made since; about are slots that
	// the verdict is about.
	live  map[resource.Key]resource.Ref
	about []resource.Key
	// rolled is what came of the pass's last rollout; nil before the first.
	rolled *apply.Outcome
	// verdict is how the pass ends.
	verdict verdict
	// life is the context that only the agent's end ends: a newer revision ends
	// an attempt, and not the way back from it. Nil where nothing else may end the
	// pass either.
	life context.Context //nolint:containedctx // it is the pass's own, one level up
}

// wish is who wants a pass: nobody, or a person; with force, through a closed window.
type wish struct {
	asked bool
	force *force
}

// pass runs one pass and books its result.
func (w *worker) pass(ctx context.Context, c *catalog, wants wish) (Result, error) {
	var res Result
	err := w.own(ctx, func() (err error) {
		p := &pass{worker: w, wanted: unseenDigest}
		p.goBy(c)
		defer p.atWork().End()
		p.foresee(ctx)
		if err := p.enter(ctx, false); err != nil {
			return err
		}
		defer p.leave()
		p.goBy(c)
		p.hold(nil)
		defer w.setUse(use{})
		defer w.setBusy(false)
		defer w.forgetful()()
		if p.will, err = p.agent.will(p.catalog, p.record); err != nil {
			return err
		}
		p.will.asked, p.will.force = wants.asked, wants.force
		res = p.run(ctx)
		if ctx.Err() != nil {
			return p.save() // cut short by the agent's end, which is no verdict
		}
		p.tell(ctx, &res)
		return p.book(res)
	})
	return res, err
}

// goBy lets the pass go by c, or by what has come while it waited for its turn.
func (p *pass) goBy(c *catalog) {
	if latest := p.agent.catalog.Load(); latest != nil {
		c = latest
	}
	p.catalog, p.app = c, c.apps[p.name]
}

func (p *pass) run(ctx context.Context) Result {
	begun := time.Now() // for the duration: the clock of records may be set meanwhile
	p.result = Result{App: p.name, Started: p.agent.opts.Now(), Revision: p.catalog.snapshot.Revision}
	halted := p.record.Halted
	v := p.caught(ctx)
	if p.nobodyComes() || v.outcome == Halted && halted == "" {
		p.refuse(ctx)
	}
	if ctx.Err() != nil && v.outcome == Unreachable {
		v.reason, v.hint = "cut short: "+context.Cause(ctx).Error(), "the next pass goes on where this one ended"
	}
	p.verdict = v
	p.result.Outcome, p.result.Reason, p.result.Hint = v.outcome, v.text(), v.hint
	p.result.Cause, p.result.Opens = v.cause, v.opens
	p.result.Duration = resource.Duration(time.Since(begun))
	return p.result
}

// caught is judge's verdict. A defect ends this pass alone, and leaves its record as the
// agent's end would: other apps, and this one's next pass, go on.
func (p *pass) caught(ctx context.Context) (v verdict) {
	defer func() {
		if r := recover(); r != nil {
			p.record, p.owed = p.read().Clone(), nil
			err := fault.Caught(r)
			p.betray(err)
			v = verdictOf(err)
		}
	}()
	return p.judge(ctx)
}

// betray has the log say where err's defect is, where it has one.
func (p *pass) betray(err error) {
	if trace := fault.TraceOf(err); trace != "" {
		p.agent.hear(Event{App: p.name, Text: err.Error() + ", in " + trace})
	}
}

// judge goes the way of one pass: what stands in its way, what is wanted, what
// to do about it.
func (p *pass) judge(ctx context.Context) verdict {
	if err := p.catchUp(); err != nil {
		return verdictOf(err)
	}
	if p.record.Released {
		p.endIncident("the app was handed back")
		return verdict{outcome: Paused, reason: "released: syncd leaves it alone", hint: "syncd adopt " + p.name}
	}
	if pause := paused(p.record, p.agent.opts.Now()); pause != nil {
		return verdict{outcome: Paused, reason: fmt.Sprintf("paused by %s: %s", pause.Who, pause.Reason), hint: "syncd resume " + p.name}
	}
	if a := p.record.Attempt; a != nil && a.Back && !p.agent.opts.ReadOnly {
		return p.resumeRollback(ctx)
	}
	if v, doubtful := p.doubtful(ctx); doubtful {
		return v
	}
	if _, wanted := p.catalog.apps[p.name]; !wanted {
		return p.vanished(ctx)
	}
	cand, took, err := p.drawn(ctx)
	p.spent("render", &p.result.Phases.Render, took)
	if err != nil {
		return p.keepGood(ctx, verdictOf(err))
	}
	p.wanted, p.record.As = cand.set.Digest, p.catalog.account(p.record)
	p.record.Sync, p.record.Drift, p.record.Owner = p.config().Sync, p.config().Drift, p.app.Config.Owner
	p.result.Notes = append(p.result.Notes, cand.notes...)
	course, v := decide(p.record, cand.set, p.will)
	p.why("%s", course.said(v))
	switch course {
	case settle:
		return p.settled(ctx, cand)
	case change:
		return p.change(ctx, p.asItWas(cand))
	case wait:
		if v.cause == CauseWindow {
			return p.inTime(ctx, cand, v)
		}
		return p.keepGood(ctx, v)
	default:
		return p.keepGood(ctx, v)
	}
}

// inTime puts a set that the time stands in the way of where a person forces it; else
// what is good is kept.
func (p *pass) inTime(ctx context.Context, cand *candidate, v verdict) verdict {
	through, err := p.goThrough()
	switch {
	case err != nil:
		return verdictOf(err)
	case through:
		return p.change(ctx, cand)
	}
	return p.keepGood(ctx, v)
}

// asItWas is a candidate for what is good already, with the images that it was good
// with: a tag may have moved since.
func (p *pass) asItWas(cand *candidate) *candidate {
	if !goodAlready(p.record, cand.set) {
		return cand
	}
	again := *cand
	again.set.Objects, again.set.Mounts = p.record.Good.Objects, p.record.Good.Mounts
	return &again
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
	pairs, err := p.observed(ctx, p.catalog, p.target.Observe, want, p.owned())
	p.spent("observe", &p.result.Phases.Observe, time.Since(begun))
	if err != nil {
		return nil, drift.Report{}, fmt.Errorf("observe app %s: %w", p.name, err)
	}
	p.live = liveIn(pairs)
	opts := comparing(p.record, p.catalog)
	report := drift.Compare(pairs, opts)
	p.why("looked at %d objects: %d are not as wanted", len(pairs), len(report.Different()))
	pairs = yielding(pairs, report, opts.Ignore)
	p.noteAside(report)
	return pairs, report, nil
}

// noteAside tells, once in a pass, what others have put beside the app's own fields.
func (p *pass) noteAside(report drift.Report) {
	for _, line := range report.Aside() {
		if !slices.Contains(p.result.Notes, line) {
			p.result.Notes = append(p.result.Notes, line)
		}
	}
}

// liveIn returns the instance that stands for each slot.
func liveIn(pairs []resource.Pair) map[resource.Key]resource.Ref {
	live := make(map[resource.Key]resource.Ref, len(pairs))
	for _, pair := range pairs {
		if i, ok := standing(pair); ok {
			live[pair.Key] = i.Ref
		}
	}
	return live
}

func doneJobs(rec state.Record) map[string]bool {
	done := make(map[string]bool, len(rec.Done))
	for h := range rec.Done {
		done[h] = true
	}
	return done
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

func (p *pass) config() config.App { return p.catalog.settings(p.record) }
