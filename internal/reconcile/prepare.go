package reconcile

import (
	"context"
	"fmt"
	"slices"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// prepare does all that can be done before anything live is touched. It returns
// false with the verdict where the change cannot go on: then nothing was begun,
// and what runs is looked after meanwhile.
func (p *pass) prepare(ctx context.Context, cand *candidate) (apply.Plan, verdict, bool) {
	before := p.record.Attempt
	plan, err := p.ready(ctx, cand)
	if err == nil && len(plan.Blocked) == 0 {
		return plan, verdict{}, true
	}
	p.record.Attempt = before
	switch {
	case err == nil:
		v := p.keepGood(ctx, blockedVerdict(p.name, plan))
		p.askFirst(plan)
		return plan, v, false
	case ctx.Err() != nil:
		return plan, verdictOf(context.Cause(ctx)), false
	case fault.Of(err) == fault.Rejected:
		return plan, p.rejected(ctx, cand, err), false
	default:
		return plan, p.keepGood(ctx, verdictOf(err)), false
	}
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
	p.spent("prepare", &p.result.Phases.Prepare, time.Since(begun))
	pairs, report, err := p.observe(ctx, cand.set.Objects)
	if err != nil {
		return apply.Plan{}, err
	}
	p.result.Report = report
	p.beginAttempt(cand, healthOf(pairs))
	plan, err := p.plan(apply.Request{Pairs: pairs, Report: report, AwaitAll: true, Trial: !goodAlready(p.record, cand.set), Prune: p.config().Prune(), Before: p.record.Attempt.Before})
	p.result.Plan = plan
	if err != nil || p.agent.opts.ReadOnly || len(plan.Blocked) > 0 {
		return plan, err
	}
	begun = time.Now()
	err = p.validate(ctx, plan)
	p.spent("prepare", &p.result.Phases.Prepare, time.Since(begun))
	return plan, err
}

// pin resolves tags to what is there, once for this set.
func (p *pass) pin(ctx context.Context, cand *candidate) error {
	pinned, missing, err := p.pinned(ctx, cand.set.Objects)
	if err != nil {
		return fmt.Errorf("prepare images: %w", err)
	}
	for _, image := range missing {
		p.result.Notes = append(p.result.Notes, image+" is not here and would be pulled")
	}
	cand.set.Objects = pinned
	return nil
}

// pinned returns objects with the images that they mean, fetching what is not
// here, unless the agent only looks: then missing names it.
func (p *pass) pinned(ctx context.Context, objects []resource.Object) (out []resource.Object, missing []string, err error) {
	preparer, ok := p.target.(apply.Preparer)
	if !ok {
		return objects, nil, nil
	}
	err = p.aside(ctx, func() error {
		out, missing, err = p.pinEach(ctx, preparer, objects)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	p.hold(out)
	p.noteImages(out)
	return out, missing, nil
}

// pinEach fixes image by image, and holds each at once: the pull of the next one may
// take its time.
func (p *pass) pinEach(ctx context.Context, preparer apply.Preparer, objects []resource.Object) (out []resource.Object, missing []string, err error) {
	out = slices.Clone(objects)
	for _, places := range byImage(objects) {
		same := make([]resource.Object, 0, len(places))
		for _, i := range places {
			same = append(same, objects[i])
		}
		pinned, absent, err := preparer.Pin(ctx, same, !p.agent.opts.ReadOnly)
		if err != nil {
			return nil, nil, err
		}
		for n, i := range places {
			out[i] = pinned[n]
		}
		missing = append(missing, absent...)
		p.holdAlso(pinned)
	}
	return out, missing, nil
}

// byImage groups the places of objects by the image that they name; those that name none
// are one group.
func byImage(objects []resource.Object) [][]int {
	var groups [][]int
	known := map[string]int{}
	for i, o := range objects {
		image := ""
		for _, c := range containers([]resource.Object{o}) {
			image = c.Image
		}
		at, ok := known[image]
		if !ok {
			at = len(groups)
			known[image], groups = at, append(groups, nil)
		}
		groups[at] = append(groups[at], i)
	}
	return groups
}

// validate lets the target judge what is about to be put.
func (p *pass) validate(ctx context.Context, plan apply.Plan) error {
	preparer, ok := p.target.(apply.Preparer)
	fresh := putBy(plan)
	if !ok || len(fresh) == 0 {
		return nil
	}
	if err := preparer.Validate(ctx, fresh); err != nil {
		return fmt.Errorf("check settings: %w", err)
	}
	return nil
}

// putBy returns what a plan puts, each slot once.
func putBy(plan apply.Plan) []resource.Object {
	var out []resource.Object
	for _, s := range plan.Steps {
		if s.Verb == apply.Put && s.Object != nil && !slices.ContainsFunc(out, func(o resource.Object) bool { return o.Key == s.Key }) {
			out = append(out, *s.Object)
		}
	}
	return out
}

// beginAttempt makes the attempt. What was failing before is remembered from the
// first attempt since the last good set: a later one must not find its
// predecessor's damage innocent.
func (p *pass) beginAttempt(cand *candidate, before map[resource.Key]resource.Health) {
	attempt := &state.Attempt{Set: cand.set, Started: p.agent.opts.Now(), Before: before}
	if old := p.record.Attempt; old != nil && !old.Back {
		attempt.Before, attempt.Ran = old.Before, old.Ran
		if old.Set.Digest == cand.set.Digest {
			attempt.Started, p.resumed = old.Started, true
		}
	}
	p.record.Attempt = attempt
}

// healthOf returns the health of every live slot.
func healthOf(pairs []resource.Pair) map[resource.Key]resource.Health {
	before := map[resource.Key]resource.Health{}
	for _, pair := range pairs {
		if live, ok := standing(pair); ok {
			before[pair.Key] = live.Health
		}
	}
	return before
}

// standing returns the instance that stands for a slot: the newest that runs, or
// else the newest; false where there is none.
func standing(p resource.Pair) (resource.Instance, bool) {
	for _, live := range p.Live {
		if live.Running {
			return live, true
		}
	}
	if len(p.Live) == 0 {
		return resource.Instance{}, false
	}
	return p.Live[0], true
}
