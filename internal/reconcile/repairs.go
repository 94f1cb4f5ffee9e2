package reconcile

import (
	"strings"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/state"
)

// The same field repaired this often within this time does not converge.
const (
	fightRounds = 3
	fightTime   = 10 * time.Minute
)

// piecesOf are what is to be repaired of an object: its fields, the first ones of them, or
// the object as a whole. Each is remembered for as many repairs as make a fight, as
// 8 bytes: what is remembered is bounded by the app's objects.
func piecesOf(f drift.Finding) []string {
	if len(f.Changes) == 0 {
		return []string{""}
	}
	var out []string
	for _, c := range f.Changes[:min(len(f.Changes), mostFields)] {
		out = append(out, c.Path)
	}
	return out
}

// foughtOver names what of the object came back as often as it may be repaired, by how
// often each thing was; empty is nothing.
func foughtOver(times map[uint64]int, f drift.Finding) []string {
	var out []string
	for _, piece := range piecesOf(f) {
		if !surplus(f) && times[state.TraceOf(f.Key, piece)] >= fightRounds {
			out = append(out, strings.TrimSuffix(f.Key.String()+" "+piece, " "))
		}
	}
	return out
}

// surplus tells whether the slot has what is wanted, and instances besides: what an act
// of ours leaves that was cut short, as often as one is, and nobody's fight.
func surplus(f drift.Finding) bool { return f.Class == drift.Extra && f.Match != drift.None }

// lately are the repairs that count still.
func lately(all state.Mended, now time.Time) state.Mended {
	return all.Since(func(at time.Time) bool { return now.Sub(at).Abs() < fightTime }) // the clock may have been set back
}

// bookMending remembers that these were repaired, and forgets what is long ago.
func bookMending(rec *state.Record, found []drift.Finding, now time.Time) {
	round := state.Round{At: now}
	for _, f := range found {
		for _, piece := range piecesOf(f) {
			round.Of = append(round.Of, state.TraceOf(f.Key, piece))
		}
	}
	rec.Mended = lately(rec.Mended, now)
	if len(round.Of) > 0 {
		rec.Mended = append(rec.Mended, round)
	}
}

// makePeace lets what was fought over be repaired again.
func makePeace(rec *state.Record) {
	rec.Mended = nil
	if rec.Incident == nil {
		return
	}
	for i := range rec.Incident.Findings {
		rec.Incident.Findings[i].Fought = time.Time{}
	}
	for of, trace := range rec.Incident.Traces {
		trace.Fought = false
		rec.Incident.Traces[of] = trace
	}
}

// stubborn recognises a set that does not stay as it is put: each round costs the
// app its instances.
type stubborn struct {
	digest, changes string
	rounds          int
}

// again books that a set was put, and that this plan would still have to be
// carried out after it.
func (s *stubborn) again(digest string, left apply.Plan) {
	if changes := changesOf(left); s.digest != digest || s.changes != changes {
		*s = stubborn{digest: digest, changes: changes}
	}
	s.rounds++
}

// gaveUp tells whether the set was put often enough, and still the same is left
// to be done: something else has to change first.
func (s *stubborn) gaveUp(digest string, left apply.Plan) bool {
	return s.rounds >= fightRounds && s.digest == digest && s.changes == changesOf(left)
}

// changesOf names what a plan changes, without the values: those may be others
// each time.
func changesOf(plan apply.Plan) string {
	var b strings.Builder
	for _, s := range plan.Steps {
		if s.Verb == apply.Await {
			continue
		}
		b.WriteString(string(s.Verb) + " " + s.Key.String())
		for _, c := range s.Changes {
			b.WriteString(" " + c.Path)
		}
		b.WriteString("\n")
	}
	return b.String()
}
