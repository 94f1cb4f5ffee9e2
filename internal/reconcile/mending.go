package reconcile

import (
	"slices"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// beginRepair writes what is found and about to be repaired, before anything is
// touched: after a crash, it would be known to nobody.
func (p *pass) beginRepair(plan apply.Plan) error {
	p.mending = true
	open := p.record.Incident
	if open == nil { // what is left over is tidied up
		return nil
	}
	open.Repairing, open.Failed = true, false
	for key := range touchedBy(plan) {
		of := state.TraceOf(key, "")
		trace := open.Traces[of]
		trace.Touched = true
		open.Traces[of] = trace
	}
	return p.save()
}

// touchedBy are the objects that a plan changes.
func touchedBy(plan apply.Plan) map[resource.Key]bool {
	touched := map[resource.Key]bool{}
	for _, s := range plan.Steps {
		if s.Verb != apply.Await {
			touched[s.Key] = true
		}
	}
	return touched
}

// failRepair notes that a repair did not go through: what could not be repaired was not
// changed back by anybody.
func (p *pass) failRepair() {
	if p.record.Incident != nil {
		p.record.Incident.Failed = true
	}
}

// endRepair books what the plan has repaired, and takes it out of the incident.
func (p *pass) endRepair(plan apply.Plan) {
	touched := touchedBy(plan)
	left := func(f drift.Finding) bool { return !touched[f.Key] }
	bookMending(&p.record, slices.DeleteFunc(p.result.Report.Different(), left), p.agent.opts.Now())
	open := p.record.Incident
	if open == nil {
		return
	}
	rest := slices.DeleteFunc(p.found, func(f drift.Finding) bool { return touched[f.Key] })
	if len(rest) == 0 {
		p.endIncident("repaired by syncd", stepsOf(plan)...)
		return
	}
	merge(open, rest, p.agent.opts.Now())
	open.Repairing, open.Failed = false, false
	open.Traces.Untouch()
}

// bookCut books what a repair has repaired that was cut short, as the next look shows
// it; of one that failed, nobody knows who made it as it is wanted.
func (p *pass) bookCut(report drift.Report) {
	open := p.record.Incident
	if open == nil || !open.Repairing || open.Failed {
		return
	}
	differs := map[resource.Key]bool{}
	for _, f := range report.Different() {
		differs[f.Key] = true
	}
	var mended []drift.Finding
	for _, f := range open.Findings {
		if differs[f.Key] || !open.Traces[state.TraceOf(f.Key, "")].Touched {
			continue
		}
		was := drift.Finding{Key: f.Key}
		for _, field := range f.Fields {
			was.Changes = append(was.Changes, drift.Change{Path: field.Path})
		}
		mended = append(mended, was)
	}
	bookMending(&p.record, mended, p.agent.opts.Now())
}
