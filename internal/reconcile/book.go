package reconcile

import (
	"cmp"
	"encoding/json"
	"fmt"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/spec"
	"syncd.io/syncd/internal/state"
)

// book writes what a pass leaves behind: the record, a line of history where it
// changed or failed something, and the event for those who listen.
func (p *pass) book(res Result) error {
	p.learns(res)
	p.agent.hear(Event{App: p.name, At: res.Started.Add(res.Duration.D()), Result: &res})
	p.bookWindow(res)
	fresh := p.bookVerdict(res)
	if p.agent.opts.ReadOnly {
		p.showVerdict()
		return nil
	}
	if res.Cause != CauseWindow { // what a person consented to is done when it opens
		p.spendConsent(res.Outcome)
	}
	if p.agent.onCluster() && (res.Outcome == Applied || res.Outcome == Unchanged) {
		p.record.Adopted = nil // what was taken over carries our labels by now
	}
	if err := p.write(res, fresh); err != nil {
		return err
	}
	if p.promoted { // whatever became of what was wanted
		p.agent.wakeDependents(p.name)
	}
	return nil
}

// write saves the record, with a line of history where there is something to tell.
func (p *pass) write(res Result, fresh bool) error {
	news := p.isNews(res, fresh)
	if !news && p.verdict.meanwhile == "" {
		return p.save()
	}
	e := p.entry(res)
	e.Still = !news
	return p.saveWith(e)
}

// spendConsent ends every consent with the pass that it was given for: what is
// asked for once more, months later, is another plan with the same words. Only
// a pass that did not come to a decision leaves it for the next one.
func (p *pass) spendConsent(o Outcome) {
	switch o {
	case Unreachable, Superseded, Paused:
	default:
		p.record.Approvals = nil
	}
}

// saysNew tells whether the result says something that the last one did not. What was
// done meanwhile has happened, and changes nothing of how it stands.
func (p *pass) saysNew(res Result) bool {
	last, v := p.record.Last, p.verdict
	same := last.SaysAs(state.Verdict{Reason: v.reason, Says: v.says})
	return last.Outcome != string(res.Outcome) || !same || last.Revision.Commit != res.Revision.Commit
}

// bookVerdict keeps the verdict, and tells whether it says something new.
func (p *pass) bookVerdict(res Result) bool {
	last, fresh := &p.record.Last, p.saysNew(res)
	last.Outcome, last.Reason, last.Hint = string(res.Outcome), p.verdict.reason, res.Hint
	last.Says = p.verdict.says
	last.Revision, last.Cause = res.Revision, res.Cause
	if fresh {
		last.Since = res.Started.Add(res.Duration.D())
	}
	return fresh
}

// showVerdict lets readers see the verdict of an agent that writes nothing.
func (w *worker) showVerdict() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen.Last, w.seen.Incident = w.record.Last, w.record.Incident.Clone()
}

// isNews tells whether the verdict is that the pass did something, or found out something
// new that is no mere waiting.
func (p *pass) isNews(res Result, fresh bool) bool {
	switch res.Outcome {
	case Unchanged, Pending, Paused, Superseded, Unreachable:
		return false
	case Held: // it was held before; only a repair that failed is news
		return fresh && p.verdict.meanwhile == "" && p.rolled != nil && !res.Plan.Empty()
	case Blocked:
		return fresh && res.Cause != CauseWindow
	case Applied, RolledBack:
		return true
	default:
		return fresh
	}
}

// The kinds of lines that are no person's word, and the outcome of one that tells
// of a change that was begun.
const (
	kindSync    = "sync"
	kindRepair  = "repair"
	kindDrift   = "drift"
	syncStarted = "started"
)

func (p *pass) entry(res Result) state.Entry {
	e := p.line(kindSync, string(res.Outcome), res.Revision)
	e.At, e.Reason, e.Hint, e.Duration = res.Started, res.Reason, res.Hint, res.Duration
	if p.mending {
		e.Kind = kindRepair
	}
	if said := p.verdict.said(); said != e.Reason {
		e.Says = said
	}
	if good := p.record.Good; good != nil {
		e.Digest, e.Images = good.Digest, imagesOf(good.Objects)
	}
	for _, g := range apply.Longest(res.Gaps) {
		e.Gaps = append(e.Gaps, g.String())
	}
	if !res.Plan.Empty() {
		e.Steps = stepsOf(res.Plan)
	}
	return e
}

// line begins a line of history. Who owned an app that is gone hears of its end.
func (p *pass) line(kind, outcome string, of source.Revision) state.Entry {
	return state.Entry{
		App: p.name, At: p.agent.opts.Now(), Kind: kind, Owner: cmp.Or(p.app.Config.Owner, p.record.Owner),
		Revision: of, Outcome: outcome,
	}
}

// mostSteps is how many steps of a plan a line of history tells.
const mostSteps = 200

func stepsOf(plan apply.Plan) []string {
	var out []string
	for _, s := range plan.Steps[:min(len(plan.Steps), mostSteps)] {
		out = append(out, s.String())
	}
	if more := len(plan.Steps) - mostSteps; more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return out
}

// fromTo says what a rollback leaves and what it puts back.
func fromTo(from *state.Set, to state.Set) string {
	if from == nil {
		return "to " + to.Revision.Short()
	}
	return "from " + from.Revision.Short() + " to " + to.Revision.Short()
}

// imagesOf returns which image each reference stands for.
func imagesOf(objects []resource.Object) map[string]string {
	images := map[string]string{}
	for _, c := range containers(objects) {
		images[c.Image] = c.Pin
	}
	return images
}

// containers decodes the containers among objects. What does not decode was
// stored by another version and is left out.
func containers(objects []resource.Object) []spec.Container {
	var out []spec.Container
	for _, o := range objects {
		if o.Key.Kind != spec.KindContainer {
			continue
		}
		var c spec.Container
		if json.Unmarshal(o.Spec, &c) == nil {
			out = append(out, c)
		}
	}
	return out
}
