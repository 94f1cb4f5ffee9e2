package reconcile

import (
	"fmt"
	"time"

	"syncd.io/syncd/internal/state"
)

// course is what a pass does about the wanted set.
type course int

const (
	// settle: the wanted set is the good one; only drift is looked for.
	settle course = iota
	// change: the wanted set is put.
	change
	// hold: the wanted set stays out; drift against the good one is repaired.
	hold
	// wait: the wanted set is new, and nobody asked for it to be applied, or the time
	// is not right.
	wait
)

// will is what people and configuration say about changes.
type will struct {
	auto, asked bool
	// window is what the app's windows say; nil is that it has none. force is who
	// wants to go through it all the same; nil is nobody.
	window *Window
	force  *force
}

// decide chooses the course for a wanted set, without I/O, and says why where
// it is not to go ahead.
func decide(rec state.Record, set state.Set, w will) (course, verdict) {
	if h := rec.Held; h != nil && h.Inputs == set.Inputs {
		return hold, verdict{outcome: Held,
			reason: fmt.Sprintf("%s rolled back to %.10s", h.Who, h.Commit),
			hint:   "it lasts until the app's files change or: syncd resume " + rec.App}.orHalted(rec)
	}
	if q := quarantined(rec, set); q != nil {
		return hold, heldVerdict(rec, *q)
	}
	if goodAlready(rec, set) && rec.Attempt == nil && rec.Halted == "" { // who knows what a halt has left
		return settle, verdict{}
	}
	begun := rec.Attempt != nil && rec.Attempt.Set.Digest == set.Digest
	switch pending := "pending " + set.Revision.Short(); {
	case begun: // half a change waits for nobody
	case !w.auto && !w.asked:
		return wait, verdict{outcome: Pending,
			reason: fmt.Sprintf("%s, waiting for: syncd sync %s (sync.auto is false)", pending, rec.App),
			hint:   "syncd sync " + rec.App}
	case w.shut():
		return wait, w.waits(rec.App, pending)
	}
	return change, verdict{}
}

// goodAlready tells whether the set is the one that is good.
func goodAlready(rec state.Record, set state.Set) bool {
	return rec.Good != nil && rec.Good.Digest == set.Digest
}

// quarantined returns the entry that keeps the set out: by what it rendered to,
// or by what it was rendered from.
func quarantined(rec state.Record, set state.Set) *state.Quarantined {
	for _, q := range rec.Quarantine {
		if q.Digest == set.Digest || q.Inputs != "" && q.Inputs == set.Inputs {
			return &q
		}
	}
	return nil
}

func heldVerdict(rec state.Record, q state.Quarantined) verdict {
	return verdict{outcome: Held,
		reason: fmt.Sprintf("revision %s failed: %s", q.Revision.Short(), q.Reason),
		hint:   "merge a fix, or try it again: syncd retry " + rec.App}.orHalted(rec)
}

// orHalted is the verdict on what stays out, where the app may be halted.
func (v verdict) orHalted(rec state.Record) verdict {
	if rec.Halted != "" {
		v.outcome, v.reason, v.hint = Halted, rec.Halted, "merge a fix, or try it again: syncd retry "+rec.App
	}
	return v
}

// paused returns the pause that is in force at now, nil where there is none.
func paused(rec state.Record, now time.Time) *state.Pause {
	p := rec.Paused
	if p == nil || !p.Until.IsZero() && !now.Before(p.Until) {
		return nil
	}
	return p
}
