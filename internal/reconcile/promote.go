package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// promote makes a set good that was applied, is healthy, and passed its soak:
// but first it is looked at once more, because what was put is not yet what
// stayed.
func (p *pass) promote(ctx context.Context, cand *candidate, plan apply.Plan) verdict {
	pairs, report, err := p.observe(ctx, cand.set.Objects)
	if err != nil {
		return verdictOf(causeOf(ctx, err))
	}
	again, err := p.plan(apply.Request{Pairs: pairs, Report: report, Trial: !goodAlready(p.record, cand.set), Prune: p.config().Prune()})
	if err != nil {
		return verdictOf(err)
	}
	if !again.Empty() {
		p.stubborn.again(cand.set.Digest, again)
		return notConverged(again, "something else changes it back, or the "+p.agent.idiom().place+" stores it differently")
	}
	// A pass that was cut short did the work, and told nobody; one that ended
	// degraded has told.
	told := p.resumed && p.record.Last.Outcome == string(Degraded)
	resumed := p.resumed && !told
	p.makeGood(cand.set)
	p.record.Mended = nil
	p.leftOver(report)
	p.endIncident("revision " + cand.set.Revision.Short() + " made an end of it")
	p.pruneImages(ctx)
	v := verdict{outcome: Applied}
	if plan.Empty() && !resumed && p.record.Last.Outcome != string(Halted) { // the end of a halt is news
		v.outcome = Unchanged
	}
	if told && plan.Empty() {
		p.tellWell(cand.set)
	}
	return p.askConsent(again, v, doneAlready)
}

// tellWell books that what ended degraded before has become good by itself.
func (p *pass) tellWell(set state.Set) {
	e := p.line(kindSync, string(Applied), set.Revision)
	e.Reason, e.Digest = "it has become healthy", set.Digest
	p.owed = append(p.owed, e)
}

// notConverging begins the reason of a pass that found something else than was put.
const notConverging = "does not converge: "

// stands is the verdict on a set that was put often enough and did not stay so:
// it is left as it is until it is asked for, or something changes.
func (p *pass) stands(plan apply.Plan) verdict {
	return notConverged(plan, "it was put several times, and something changed it back each time; find out what, then: syncd sync "+p.name)
}

// notConverged is the verdict on a set that a plan is left for after it was put.
func notConverged(left apply.Plan, hint string) verdict {
	return verdict{outcome: Degraded, hint: hint,
		reason: notConverging + fields(left, drift.Change.String), says: notConverging + fields(left, pathOf)}
}

// pathOf is a change without its values: those may be others each time.
func pathOf(c drift.Change) string { return c.Path }

// makeGood writes the set into the record as the one to go back to.
func (p *pass) makeGood(set state.Set) {
	rec := &p.record
	keep := p.config().KeepGood()
	if p.catalog.blind { // what the app says of itself is unknown
		p.app.Dir, keep = rec.Dir, max(keep, len(rec.Past)+1)
	}
	rec.Dir = p.app.Dir
	if rec.Good != nil && rec.Good.Digest != set.Digest {
		rec.Past = append([]state.Set{*rec.Good}, rec.Past...)
	}
	rec.Past = slices.DeleteFunc(rec.Past, func(old state.Set) bool { return old.Digest == set.Digest })
	rec.Past = rec.Past[:min(len(rec.Past), keep)]
	set.Since = p.agent.opts.Now()
	rec.Good, rec.Attempt, rec.Halted, rec.Held, rec.Remains = &set, nil, "", nil, nil
	rec.Share()
	p.promoted = true
	rec.Quarantine = slices.DeleteFunc(rec.Quarantine, func(q state.Quarantined) bool { return q.Digest == set.Digest })
}

// bookJobs remembers jobs that exited 0, at once and on disk: they never run again
// with the same input.
func (p *pass) bookJobs(jobs ...resource.Object) error {
	if a := p.record.Attempt; len(jobs) == 0 || a != nil && a.Back { // what a way back runs belongs to that alone
		return nil
	}
	for _, job := range jobs {
		p.bookJob(job)
	}
	return p.save()
}

func (p *pass) bookJob(job resource.Object) {
	rec := &p.record
	if rec.Done == nil {
		rec.Done = map[string]time.Time{}
	}
	if _, known := rec.Done[job.Hash()]; known {
		return
	}
	rec.Done[job.Hash()] = p.agent.opts.Now()
	if a := rec.Attempt; a != nil && !slices.Contains(a.Ran, jobName(job)) {
		a.Ran = append(a.Ran, jobName(job))
	}
}

// askConsent turns a verdict with nothing wrong into one that asks for what a
// plan may not do by itself: the gravest counts, and this waits for a person. done
// says what does not wait.
func (p *pass) askConsent(plan apply.Plan, v verdict, done string) verdict {
	p.askNothing()
	if len(plan.Consents) == 0 {
		return v
	}
	// What was done meanwhile is no part of what is asked for.
	digest := apply.Plan{Consents: plan.Consents}.Digest()
	p.record.Last.Consents, p.record.Last.Plan, p.result.Ask = plan.Consents, digest, digest
	if v.outcome != Unchanged && v.outcome != Applied {
		return v
	}
	return verdict{outcome: Blocked,
		reason: done + "; consent is missing: " + strings.Join(plan.Consents, ", "),
		hint:   fmt.Sprintf("syncd approve %s --plan %s", p.name, digest)}
}

// askFirst notes the consent without which a change does not begin.
func (p *pass) askFirst(plan apply.Plan) {
	if len(plan.Consents) == 0 {
		return
	}
	digest := plan.Digest()
	p.record.Last.Consents, p.record.Last.Plan, p.result.Ask = plan.Consents, digest, digest
}

// doneAlready is what does not wait where a revision's own change went through.
const doneAlready = "applied and healthy"

// services names what a plan changes, for one line.
func services(plan apply.Plan) string {
	names := map[string]bool{}
	for _, s := range plan.Steps {
		if s.Verb != apply.Await {
			names[s.Key.String()] = true
		}
	}
	return listed(slices.Sorted(maps.Keys(names)))
}

// fields names what differs still, for one line; of each field what says returns.
func fields(plan apply.Plan, says func(drift.Change) string) string {
	var out []string
	for _, s := range plan.Steps {
		if s.Verb == apply.Await {
			continue
		}
		line := s.Key.String()
		for _, c := range s.Changes {
			line += " " + says(c)
		}
		out = append(out, line)
	}
	return listed(out)
}

// listed joins words; more than five are counted.
func listed(words []string) string {
	if len(words) == 0 {
		return "nothing"
	}
	if len(words) > 5 {
		return fmt.Sprintf("%s and %d more", strings.Join(words[:5], ", "), len(words)-5)
	}
	return strings.Join(words, ", ")
}
