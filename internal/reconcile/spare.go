package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// mostFights is how many fights one reason tells of.
const mostFights = 5

// spared is drift that is not repaired now, though the rest of it is.
type spared struct {
	// fights are what something changes back each time, young what is not as old yet as
	// drift.grace says; due is when the first of that is.
	fights, young []drift.Finding
	due           time.Time
	keys          map[resource.Key]bool
}

// spare finds what the repair leaves alone: objects that something else changes back
// as often as they are repaired, and never the whole app.
func (p *pass) spare(report drift.Report) spared {
	s := spared{keys: map[resource.Key]bool{}}
	if !p.heals() {
		return s
	}
	now := p.agent.opts.Now()
	times := lately(p.record.Mended, now).Times()
	var begun fights
	for _, f := range report.Different() {
		over := foughtOver(times, f)
		if len(over) == 0 && !p.fights(f) {
			continue
		}
		s.fights = append(s.fights, f)
		s.keys[f.Key] = true
		if p.bookFight(f, now) {
			begun.add(f, over, now)
		}
	}
	p.tellFights(begun)
	p.spareYoung(&s, now)
	return s
}

// spareYoung leaves alone for now what drift.grace says, unless a person asks.
func (p *pass) spareYoung(s *spared, now time.Time) {
	grace := p.agent.opts.Host.DriftGrace(p.config())
	if grace <= 0 || p.will.asked {
		return
	}
	for _, f := range p.found {
		since := p.record.Incident.Opened
		if trace, known := p.trace(f.Key); known {
			since = trace.First
		}
		due := since.Add(grace)
		if s.keys[f.Key] || !now.Before(due) || since.After(now) { // the clock may have been set back
			continue
		}
		s.young, s.keys[f.Key] = append(s.young, f), true
		if s.due.IsZero() || due.Before(s.due) {
			s.due = due
		}
	}
}

// noted is the finding of the open incident about an object; nil where it has none.
func (p *pass) noted(key resource.Key) *state.Finding {
	if p.record.Incident == nil {
		return nil
	}
	all := p.record.Incident.Findings
	i := slices.IndexFunc(all, func(f state.Finding) bool { return f.Key == key })
	if i < 0 {
		return nil
	}
	return &all[i]
}

// fights tells whether the object is fought over since before: it stays so until its
// incident ends.
func (p *pass) fights(f drift.Finding) bool {
	trace, _ := p.trace(f.Key)
	return trace.Fought
}

// trace is what the open incident keeps of an object, listed or not.
func (p *pass) trace(key resource.Key) (trace state.Trace, known bool) {
	if p.record.Incident != nil {
		trace, known = p.record.Incident.Traces[state.TraceOf(key, "")]
	}
	return trace, known
}

// bookFight notes that an object of the incident is fought over; false where that is known.
func (p *pass) bookFight(f drift.Finding, now time.Time) bool {
	trace, known := p.trace(f.Key)
	if !known || trace.Fought {
		return false
	}
	trace.Fought = true
	p.record.Incident.Traces[state.TraceOf(f.Key, "")] = trace
	if listed := p.noted(f.Key); listed != nil {
		listed.Fought = now
	}
	return true
}

// fights are those that a look found: over how many objects, what is said of the first,
// the lines of some, and how many objects have none.
type fights struct {
	objects int
	first   string
	lines   []line
	more    int
}

func (all *fights) add(f drift.Finding, over []string, now time.Time) {
	if all.first == "" {
		all.first = fmt.Sprintf("%s changes %s back each time it is repaired", cmp.Or(f.By, "something"), strings.Join(over, ", "))
	}
	all.objects++
	if len(all.lines) >= mostLines {
		all.more++
		return
	}
	all.lines = append(all.lines, findingLines([]state.Finding{follow(state.Finding{}, f, now)})...)
}

// tellFights adds an entry about the fights that a look found: of each object once.
func (p *pass) tellFights(all fights) {
	if all.objects == 0 {
		return
	}
	if others := all.objects - 1; others > 0 {
		all.first += fmt.Sprintf(", and %d objects more", others)
	}
	p.tellIncident(driftFight, all.first, all.lines, all.more)
}

func fightHint(app string) string {
	return "find out who changes it, or change the app's files; to have it repaired again: syncd retry " + app
}

// verdict is that on what is spared.
func (s spared) verdict(app string) verdict {
	if len(s.fights) == 0 {
		return verdict{outcome: Pending, opens: s.due, reason: drifted + firstLine(drift.Report{Findings: s.young}),
			hint: fmt.Sprintf("it is repaired at %s (drift.grace), or now by: syncd sync %s", s.due.Format("2006-01-02 15:04:05 MST"), app)}
	}
	v := verdict{outcome: Degraded, opens: s.due, reason: notConverging, hint: "something changes it back each time it is repaired; " + fightHint(app)}
	for i, f := range s.fights[:min(len(s.fights), mostFights)] {
		if i > 0 {
			v = v.and("; ", "; ")
		}
		v = v.and(strings.ReplaceAll(f.String(), "\n ", ""), strings.TrimSpace(f.Key.String()+" "+strings.Join(piecesOf(f), " ")))
	}
	if more := len(s.fights) - mostFights; more > 0 {
		others := fmt.Sprintf("; and %d objects more", more)
		v = v.and(others, others)
	}
	return v
}

// rest is the report without what is spared.
func (s spared) rest(report drift.Report) drift.Report {
	var out drift.Report
	for _, f := range report.Findings {
		if !s.keys[f.Key] {
			out.Findings = append(out.Findings, f)
		}
	}
	return out
}

// without returns pairs and report so that a plan leaves the objects with these keys
// as they are; where nothing is live, it does not know them.
func without(keys map[resource.Key]bool, pairs []resource.Pair, report drift.Report) ([]resource.Pair, drift.Report) {
	if len(keys) == 0 {
		return pairs, report
	}
	var left []resource.Pair
	var out drift.Report
	for i, pair := range pairs {
		f := report.Findings[i]
		if keys[pair.Key] {
			live, ok := standing(pair)
			if pair.Want == nil || !ok {
				continue
			}
			pair.Live = []resource.Instance{live}
			f = drift.Finding{Key: pair.Key, Class: drift.InSync}
		}
		left, out.Findings = append(left, pair), append(out.Findings, f)
	}
	return left, out
}

// planRepair plans against drift.
func (p *pass) planRepair(pairs []resource.Pair, report drift.Report, s spared) (apply.Plan, error) {
	if asWanted(pairs, report) {
		return apply.Plan{Steps: []apply.Step{}}, nil
	}
	pairs, report = without(s.keys, pairs, report)
	return p.plan(apply.Request{Pairs: pairs, Report: report, Prune: p.config().Prune()})
}
