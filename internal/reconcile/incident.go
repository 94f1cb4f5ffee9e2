package reconcile

import (
	"fmt"
	"slices"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// The outcomes of lines of history about drift.
const (
	driftOpened   = "opened"
	driftChanged  = "changed"
	driftResolved = "resolved"
	driftFight    = "fight"
)

// What one incident may take on record, and in the history.
const (
	mostFindings = 50 // objects
	mostFields   = 10 // of each
	mostLines    = 20 // of one entry
	mostTold     = 20 // entries, besides fights and the end
	mostGone     = 1000
	mostLeft     = 1000
)

// notice books what a look against the good set has found: drift that begins, that
// has more of it than before, and that is over. What syncd itself has left there is
// none.
func (p *pass) notice(report drift.Report, good state.Set) {
	rec, now := &p.record, p.agent.opts.Now()
	p.stillLeft(report)
	p.stillRestarting(report)
	p.found = driftIn(*rec, report)
	p.bookCut(report)
	switch open := rec.Incident; {
	case len(p.found) == 0 && open != nil && open.Repairing:
		p.endIncident("repaired by syncd")
	case len(p.found) == 0:
		p.endIncident("it went back by itself")
	case open == nil:
		rec.Incidents++
		rec.Incident = &state.Incident{Number: rec.Incidents, Opened: now, Revision: good.Revision}
		merge(rec.Incident, p.found, now)
		p.tellIncident(driftOpened, summaryOf(p.found), findingLines(rec.Incident.Findings, rec.Incident.More))
	default:
		joined := merge(open, p.found, now)
		open.Repairing = false
		open.Traces.Untouch()
		if len(joined) > 0 {
			p.tellIncident(driftChanged, summaryOf(p.found), joined)
		}
	}
}

// leftOver remembers what is there besides after syncd has changed the app: volumes
// that wait for consent, all that sync.prune leaves.
func (p *pass) leftOver(report drift.Report) {
	rec := &p.record
	rec.Looked, rec.Left = true, extrasIn(report)
}

func extrasIn(report drift.Report) []resource.Key {
	var out []resource.Key
	for _, f := range report.Findings {
		if f.Class == drift.Extra && len(out) < mostLeft {
			out = append(out, f.Key)
		}
	}
	return out
}

// stillLeft goes on with that as far as it is there still; where nobody has looked
// since the last change, it is what is there now.
func (p *pass) stillLeft(report drift.Report) {
	rec := &p.record
	if !rec.Looked {
		p.leftOver(report)
		return
	}
	if len(rec.Left) == 0 {
		return
	}
	extra := map[resource.Key]bool{}
	for _, f := range report.Findings {
		extra[f.Key] = f.Class == drift.Extra
	}
	left := slices.DeleteFunc(slices.Clone(rec.Left), func(k resource.Key) bool { return !extra[k] })
	if len(left) < len(rec.Left) {
		rec.Left = left
	}
}

// driftIn are the findings that are drift.
func driftIn(rec state.Record, report drift.Report) []drift.Finding {
	left := map[resource.Key]bool{}
	for _, k := range rec.Left {
		left[k] = true
	}
	return slices.DeleteFunc(report.Different(), func(f drift.Finding) bool {
		return f.Class == drift.Deferred || slices.Contains(rec.Restarting, f.Key) || f.Class == drift.Extra && left[f.Key]
	})
}

// findingLines says what differs, one line for each field, or object where it differs as a
// whole.
func findingLines(findings []state.Finding, more int) []string {
	var out []string
	for i, f := range findings {
		if len(out) >= mostLines {
			more += len(findings) - i
			break
		}
		for _, field := range f.Fields {
			out = append(out, fieldLine(f, field))
		}
		if len(f.Fields) == 0 {
			out = append(out, wholeLine(f))
		}
	}
	out = out[:min(len(out), mostLines)]
	if more > 0 {
		out = append(out, fmt.Sprintf("and %d more objects", more))
	}
	return out
}

func fieldLine(f state.Finding, field state.Field) string {
	return fmt.Sprintf("%s %s%s", f.Key, drift.Change{Path: field.Path, Want: field.Want, Live: field.Live}, by(f.By))
}

func wholeLine(f state.Finding) string {
	line := fmt.Sprintf("%s %s", f.Key, f.Class)
	if f.Reason != "" {
		line += ": " + f.Reason
	}
	return line + by(f.By)
}

func by(who string) string {
	if who == "" {
		return ""
	}
	return " (by " + who + ")"
}

// summaryOf is all of it in one line.
func summaryOf(found []drift.Finding) string {
	line := firstLine(drift.Report{Findings: found})
	if found[0].By != "" {
		line += by(found[0].By)
	}
	return line
}

// tellIncident adds a line about the open incident to the history.
func (p *pass) tellIncident(outcome, reason string, lines []string) {
	i := p.record.Incident
	counts := outcome != driftResolved && outcome != driftFight
	if counts {
		i.Told++
	}
	if counts && i.Told > mostTold || p.agent.opts.ReadOnly {
		return
	}
	e := p.line(kindDrift, outcome, i.Revision)
	e.Incident, e.Reason, e.Hint = state.IncidentID(p.name, i.Number), reason, p.driftHint(outcome)
	e.Findings = lines[:min(len(lines), mostLines+1)]
	e.Duration = resource.Duration(max(0, e.At.Sub(i.Opened)))
	p.owed = append(p.owed, e)
}

// endIncident closes the open incident, where there is one, and says why; steps are
// what was done about it.
func (p *pass) endIncident(why string, steps ...string) {
	i := p.record.Incident
	if i == nil {
		return
	}
	told := len(p.owed)
	p.tellIncident(driftResolved, why, findingLines(i.Findings, i.More))
	if len(p.owed) > told {
		p.owed[told].Steps = steps
	}
	p.record.Incident = nil
}

// driftHint is what a person can do about drift, or what syncd does.
func (p *pass) driftHint(outcome string) string {
	switch {
	case outcome == driftResolved:
		return ""
	case outcome == driftFight:
		return fightHint(p.name)
	case !p.heals():
		return p.pendingHint()
	case slices.ContainsFunc(p.found, func(f drift.Finding) bool { return f.Class == drift.Foreign }):
		return "something that is not the app's stands in its place: syncd explain " + p.name
	case p.will.noHealing() && p.will.force == nil:
		return fmt.Sprintf("it is repaired when the window opens (%s), or by: syncd sync %s --force --reason TEXT", p.will.window, p.name)
	}
	if grace := p.agent.opts.Host.DriftGrace(p.config()); grace > 0 && !p.will.asked {
		return fmt.Sprintf("syncd repairs it when it is %s old (drift.grace), or now: syncd sync %s", config.Duration(grace), p.name)
	}
	return "syncd repairs it"
}

// heals tells whether the pass repairs drift, if nothing else stands in the way.
func (p *pass) heals() bool {
	return !p.agent.opts.ReadOnly && (p.config().SelfHeal() || p.will.asked)
}
