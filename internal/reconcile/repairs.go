package reconcile

import (
	"slices"
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

// mostMended bounds how many repaired fields are remembered.
const mostMended = 200

// fieldsOf names what is to be repaired of an object: its fields, or the object as a
// whole.
func fieldsOf(f drift.Finding) []string {
	if len(f.Changes) == 0 {
		return []string{f.Key.String()}
	}
	var out []string
	for _, c := range f.Changes {
		out = append(out, f.Key.String()+" "+c.Path)
	}
	return out
}

// fought tells whether something of the object came back as often as it may be
// repaired.
func fought(rec state.Record, f drift.Finding, now time.Time) bool {
	return !surplus(f) && slices.ContainsFunc(fieldsOf(f), func(field string) bool {
		return len(lately(rec.Mended[field], now)) >= fightRounds
	})
}

// surplus tells whether the slot has what is wanted, and instances besides: what an act
// of ours leaves that was cut short, as often as one is, and nobody's fight.
func surplus(f drift.Finding) bool { return f.Class == drift.Extra && f.Match != drift.None }

// lately are the times that count still.
func lately(times []time.Time, now time.Time) []time.Time {
	var recent []time.Time
	for _, at := range times {
		if now.Sub(at).Abs() < fightTime { // the clock may have been set back
			recent = append(recent, at)
		}
	}
	return recent
}

// bookMending remembers that these were repaired, and forgets what is long ago.
func bookMending(rec *state.Record, found []drift.Finding, now time.Time) {
	mended := map[string][]time.Time{}
	for field, times := range rec.Mended {
		if recent := lately(times, now); len(recent) > 0 {
			mended[field] = recent
		}
	}
	for _, f := range found {
		for _, field := range fieldsOf(f) {
			if len(mended) < mostMended || mended[field] != nil {
				mended[field] = append(slices.Clone(mended[field]), now)
			}
		}
	}
	rec.Mended = mended
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
