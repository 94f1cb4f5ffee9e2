package reconcile

import (
	"context"
	"errors"
	"fmt"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/state"
)

// Plan says what a pass would do to the named apps, and why. It changes nothing:
// no image is pulled, no file written, no record touched.
func (a *Agent) Plan(ctx context.Context, req PlanRequest) ([]Preview, error) {
	c, err := a.catalogFor(ctx, req)
	if err != nil {
		return nil, err
	}
	workers, err := a.forPlan(c, req)
	if err != nil {
		return nil, err
	}
	out := make([]Preview, 0, len(workers))
	for _, w := range workers {
		out = append(out, a.preview(ctx, c, w, w.read()))
	}
	return out, nil
}

// catalogFor opens what the request asks for: a local directory, another ref, or
// what is followed.
func (a *Agent) catalogFor(ctx context.Context, req PlanRequest) (*catalog, error) {
	var snapshot source.Snapshot
	var err error
	switch {
	case req.Dir != "":
		snapshot, err = source.LoadDir(ctx, req.Dir, a.opts.Host.Limits)
	case req.Ref != "":
		snapshot, err = a.loadRef(ctx, req.Ref)
	default:
		return a.look(ctx)
	}
	if err != nil {
		return nil, err
	}
	c, err := a.hostValues()
	if err != nil {
		return nil, err
	}
	c.snapshot = snapshot
	return c, a.open(ctx, c)
}

func (a *Agent) loadRef(ctx context.Context, ref string) (source.Snapshot, error) {
	commit, err := a.opts.Source.ResolveRef(ctx, ref)
	if err != nil {
		return source.Snapshot{}, fmt.Errorf("find %s: %w", ref, err)
	}
	return a.opts.Source.Load(ctx, commit)
}

// forPlan returns workers for the apps of the catalog, those that nobody has
// seen before included.
func (a *Agent) forPlan(c *catalog, req PlanRequest) (workers []*worker, err error) {
	if req.Dir == "" && req.Ref == "" { // the agent has met them all
		workers, err = a.known(req.Apps)
	} else {
		workers, err = a.guests(c, req.Apps)
	}
	if err == nil && len(req.Apps) == 0 {
		workers = present(c, workers)
	}
	return workers, err
}

func (a *Agent) preview(ctx context.Context, c *catalog, w *worker, rec state.Record) Preview {
	p := Preview{App: w.name, Revision: c.snapshot.Revision}
	err := a.fill(ctx, c, w, rec, &p)
	if err == nil {
		err = a.tellWhen(c, rec, &p)
	}
	if err != nil {
		v := verdictOf(err)
		p.Outcome, p.Error, p.Hint = v.outcome, v.reason, v.hint
	}
	return p
}

// tellWhen adds when a pass would do what the plan says, where that is not at once.
func (a *Agent) tellWhen(c *catalog, rec state.Record, p *Preview) error {
	now, err := a.will(c, rec)
	if err != nil {
		return err
	}
	p.Window = now.window
	_, here := c.apps[p.App]
	fresh := here && p.Outcome == "" && (rec.Good == nil || rec.Good.Revision.Commit != p.Revision.Commit)
	switch {
	case !p.Differs():
	case now.shut():
		p.Notes = append(p.Notes, fmt.Sprintf("the window is %s: nothing is done before, but for: syncd sync %s --force --reason TEXT", now.window, p.App))
	case fresh && !now.auto:
		p.Notes = append(p.Notes, "sync.auto is false: a new revision waits for: syncd sync "+p.App)
	}
	return nil
}

// fill goes the way of a pass up to the plan.
func (a *Agent) fill(ctx context.Context, c *catalog, w *worker, rec state.Record, p *Preview) error {
	want, trial, err := a.wantedBy(ctx, c, w, rec, p)
	if err != nil {
		return err
	}
	if want, p.Missing, err = w.questions.pin(ctx, want); err != nil {
		return err
	}
	pairs, err := w.observed(ctx, c, w.questions.observe, want, ownedBy(rec, c))
	if err != nil {
		return fmt.Errorf("observe app %s: %w", w.name, err)
	}
	p.Report = drift.Compare(pairs, comparing(rec, c))
	p.Plan, err = apply.NewPlan(apply.Request{Pairs: pairs, Report: p.Report, Trial: trial, Prune: c.settings(rec).Prune()})
	if err != nil {
		return err
	}
	p.Digest = p.Plan.Digest()
	return a.explainPlan(ctx, rec, want, p)
}

// wantedBy returns the objects that the pass would put, or nil for an app that
// is gone, and whether they have never been good.
func (a *Agent) wantedBy(ctx context.Context, c *catalog, w *worker, rec state.Record, p *Preview) (want []resource.Object, trial bool, err error) {
	if _, here := c.apps[w.name]; !here {
		p.Notes = append(p.Notes, "the repository does not ask for this app on this host")
		return nil, false, nil
	}
	cand, err := w.candidate(ctx, c, rec)
	if err != nil {
		return nil, false, err
	}
	p.Notes = append(p.Notes, cand.notes...)
	if pause := paused(rec, a.opts.Now()); pause != nil {
		p.Notes = append(p.Notes, fmt.Sprintf("paused by %s: %s: nothing is done before: syncd resume %s", pause.Who, pause.Reason, w.name))
	}
	course, v := decide(rec, cand.set, will{auto: true})
	if course == change && (rec.Attempt == nil || rec.Attempt.Set.Digest != cand.set.Digest) {
		if v, blocked := w.claimed(ctx, c, cand.set.Objects, false); blocked {
			return nil, false, fault.Hint(fault.As(fault.Blocked, errors.New(v.reason)), v.hint)
		}
		if v, blocked := w.contested(ctx, c, rec, cand.set.Objects); blocked {
			return nil, false, fault.Hint(fault.As(fault.Blocked, errors.New(v.reason)), v.hint)
		}
	}
	if course == hold {
		p.Outcome, p.Hint = v.outcome, v.hint
		p.Notes = append(p.Notes, "held: "+v.reason)
		if rec.Good != nil {
			return rec.Good.Objects, false, nil
		}
	}
	return cand.set.Objects, course == change && !goodAlready(rec, cand.set), nil
}

// explainPlan adds what a person wants to know besides the steps.
func (a *Agent) explainPlan(ctx context.Context, rec state.Record, want []resource.Object, p *Preview) error {
	facts, _ := a.opts.Engine.(Facts)
	free := int64(0)
	if facts != nil {
		var err error
		if free, err = facts.FreeMemory(ctx); err != nil {
			return fmt.Errorf("ask for free memory: %w", err)
		}
	}
	for _, svc := range p.Plan.Services {
		if svc.How == apply.RunOnce && svc.Slots > 0 {
			p.Jobs = append(p.Jobs, svc.Group)
		}
		sp := servicePlan(svc, want, free)
		gates{want: want, rec: rec, preview: p}.tell(&sp)
		p.Services = append(p.Services, sp)
	}
	return a.wayBack(ctx, rec, facts, p)
}

func servicePlan(svc apply.Service, want []resource.Object, free int64) ServicePlan {
	sp := ServicePlan{Service: svc}
	for _, o := range want {
		if o.Group != svc.Group {
			continue
		}
		switch svc.How {
		case apply.HowStopFirst, apply.Restarted:
			sp.Gap, sp.Pause = resource.Duration(gapOf(o)), pauseOf(o)
		case apply.HowStartFirst:
			sp.Memory, sp.Free, sp.Pause = meanwhile(o), free, pauseOf(o)
		}
		break
	}
	return sp
}

// meanwhile is the memory that the new side may take while the old one is still
// there: the limits of one batch. 0 is unknown: no limit is set.
func meanwhile(o resource.Object) int64 {
	var total int64
	for _, c := range containers([]resource.Object{o}) {
		total += max(c.Resources.Memory, c.Resources.MemoryReservation)
	}
	return total * int64(max(1, o.Policy.Parallelism))
}

func (a *Agent) wayBack(ctx context.Context, rec state.Record, facts Facts, p *Preview) error {
	if rec.Good == nil {
		return nil
	}
	p.WayBack.Good = rec.Good.Revision
	if facts == nil {
		p.WayBack.Unseen = a.onCluster()
		return nil
	}
	seen := map[string]bool{}
	for _, c := range containers(rec.Good.Objects) {
		if seen[c.Pin] {
			continue
		}
		seen[c.Pin] = true
		_, here, err := facts.Image(ctx, c.Pin)
		if err != nil {
			return fmt.Errorf("look for the images of the good revision: %w", err)
		}
		if !here {
			p.WayBack.Missing = append(p.WayBack.Missing, c.Image)
		}
	}
	return nil
}
