package reconcile

import (
	"fmt"
	"slices"
	"time"

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
	mostFindings = 50               // objects
	mostFields   = 10               // of each
	mostLines    = 20               // of one entry
	mostTold     = 20               // entries of all that joins, besides fights and the end
	tellPause    = 10 * time.Minute // between those that come after, of objects alone
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
		p.tellIncident(driftOpened, summaryOf(p.found), findingLines(rec.Incident.Findings), rec.Incident.More)
	default:
		joined, more := merge(open, p.found, now)
		open.Repairing = false
		open.Traces.Untouch()
		p.tellJoined(joined, more)
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

// tellJoined tells what has joined the open incident. After so many lines objects alone
// are news, and those of some minutes are told together.
func (p *pass) tellJoined(joined []line, more int) {
	open := p.record.Incident
	if open.Told >= mostTold {
		if p.agent.opts.Now().Sub(open.ToldAt).Abs() < tellPause { // the clock may have been set back
			return
		}
		joined, more = p.untold()
	}
	if len(joined) > 0 {
		p.tellIncident(driftChanged, summaryOf(p.found), joined, more)
	}
}

// untold are the objects that are there now, and of which nothing was told yet.
func (p *pass) untold() (lines []line, more int) {
	for _, f := range p.found {
		switch trace, _ := p.trace(f.Key); {
		case !trace.Untold:
		case len(lines) < mostLines:
			lines = append(lines, findingLines([]state.Finding{follow(state.Finding{}, f, trace.First)})...)
		default:
			more++
		}
	}
	return lines, more
}

// line says of an object what differs.
type line struct {
	of   resource.Key
	text string
}

// findingLines says what differs, one line for each field, or object where it differs as a
// whole.
func findingLines(findings []state.Finding) (out []line) {
	for _, f := range findings {
		for _, what := range factsOf(f) {
			out = append(out, line{f.Key, what.line()})
		}
	}
	return out
}

// boundLines are the first lines, and how many objects none of them is about: those
// that more counts, and those of the other lines.
func boundLines(lines []line, more int) (texts []string, rest int) {
	named := map[resource.Key]bool{}
	for i, l := range lines {
		if i < mostLines {
			texts = append(texts, l.text)
		} else if !named[l.of] {
			more++
		}
		named[l.of] = true
	}
	return texts, more
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

// tellIncident adds an entry about the open incident to the history; more counts the
// objects that lines do not name.
func (p *pass) tellIncident(outcome, reason string, lines []line, more int) {
	i := p.record.Incident
	if p.agent.opts.ReadOnly {
		return
	}
	e := p.line(kindDrift, outcome, i.Revision)
	if outcome != driftResolved && outcome != driftFight {
		i.Told, i.ToldAt = i.Told+1, e.At
		i.Traces.Tell()
	}
	e.Incident, e.Reason, e.Hint = state.IncidentID(p.name, i.Number), reason, p.driftHint(outcome)
	e.Findings, e.More = boundLines(lines, more)
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
	p.tellIncident(driftResolved, why, findingLines(i.Findings), i.More)
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
