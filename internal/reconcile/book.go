package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
	"syncd.io/syncd/internal/state"
)

// book writes what a pass leaves behind: the record, a line of history where it
// changed or failed something, and the event for those who listen.
func (p *pass) book(res Result) error {
	p.agent.hear(Event{App: p.name, At: res.Started.Add(res.Duration), Result: &res})
	if p.agent.opts.ReadOnly {
		return nil
	}
	fresh := p.bookVerdict(res)
	p.spendConsent(res.Outcome)
	if err := p.save(); err != nil {
		return err
	}
	if !worthHistory(res, fresh) {
		return nil
	}
	if _, err := p.agent.opts.Store.Append(p.entry(res)); err != nil {
		return fmt.Errorf("write the history of app %s: %w", p.name, err)
	}
	return nil
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

// bookVerdict keeps the verdict, and tells whether it says something new.
func (p *pass) bookVerdict(res Result) bool {
	last := &p.record.Last
	same := last.Outcome == string(res.Outcome) && last.Reason == res.Reason && last.Revision.Commit == res.Revision.Commit
	last.Outcome, last.Reason, last.Hint = string(res.Outcome), res.Reason, res.Hint
	last.Revision = res.Revision
	if !same {
		last.Since = res.Started.Add(res.Duration)
	}
	return !same
}

func worthHistory(res Result, fresh bool) bool {
	switch res.Outcome {
	case Unchanged, Pending, Paused, Superseded, Unreachable:
		return false
	case Applied, RolledBack:
		return true
	case Held:
		return !res.Plan.Empty() // it was held before; only a repair is news
	default:
		return fresh
	}
}

func (p *pass) entry(res Result) state.Entry {
	e := state.Entry{
		App: p.name, At: res.Started, Kind: "sync", Revision: res.Revision,
		Outcome: string(res.Outcome), Reason: res.Reason, Duration: res.Duration,
	}
	if strings.Contains(res.Reason, repaired) {
		e.Kind = "repair"
	}
	if good := p.record.Good; good != nil {
		e.Digest, e.Images = good.Digest, imagesOf(good.Objects)
	}
	for _, s := range res.Plan.Steps {
		e.Steps = append(e.Steps, s.String())
	}
	return e
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
		var c spec.Container
		if o.Key.Kind == spec.KindContainer && json.Unmarshal(o.Spec, &c) == nil {
			out = append(out, c)
		}
	}
	return out
}

// pruneImages lets the target forget images that came from a registry for this
// app and that no good set, attempt or past set needs.
func (p *pass) pruneImages(ctx context.Context) {
	rec := &p.record
	var keep []string
	for _, set := range append([]state.Set{*rec.Good}, rec.Past...) {
		for _, c := range containers(set.Objects) {
			keep = append(keep, c.Pin)
			if c.Digest != "" && !slices.Contains(rec.Images, c.Pin) {
				rec.Images = append(rec.Images, c.Pin)
			}
		}
	}
	pruner, ok := p.agent.opts.Engine.(Pruner)
	if !ok {
		return
	}
	if err := pruner.PruneImages(ctx, keep, rec.Images); err != nil {
		p.result.Notes = append(p.result.Notes, "old images stay: "+err.Error())
		return
	}
	rec.Images = slices.DeleteFunc(rec.Images, func(pin string) bool { return !slices.Contains(keep, pin) })
}
