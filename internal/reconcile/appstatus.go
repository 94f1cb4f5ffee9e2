package reconcile

import (
	"context"
	"slices"

	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
	"syncd.io/syncd/internal/state"
)

// present leaves out the apps that are gone.
func present(c *catalog, workers []*worker) []*worker {
	return slices.DeleteFunc(workers, func(w *worker) bool { return gone(c, w.read()) })
}

// gone tells whether nobody asks for the app and nothing of it is left.
func gone(c *catalog, rec state.Record) bool {
	if c == nil || c.blind || rec.Good != nil || rec.Attempt != nil || rec.Halted != "" || rec.Released {
		return false
	}
	_, wanted := c.apps[rec.App]
	return !wanted
}

// appStatus says what one app is; that the engine does not answer is noted in st.
func (a *Agent) appStatus(ctx context.Context, c *catalog, w *worker, st *Status) AppStatus {
	rec := w.read()
	s := AppStatus{
		Name: w.name, Dir: rec.Dir, Outcome: Outcome(rec.Last.Outcome), Reason: rec.Last.Reason,
		Hint: rec.Last.Hint, Since: rec.Last.Since, Cause: rec.Last.Cause, Consents: rec.Last.Consents, Plan: rec.Last.Plan,
		Quarantine: rec.Quarantine, Paused: paused(rec, a.opts.Now()), Held: rec.Held, Health: Unknown,
	}
	s.Incident = incidentOf(rec)
	if rec.Good != nil {
		s.Good = rec.Good.Revision
		s.Notes = IdleRules(c.settings(rec).Drift, rec.Good.Objects)
		s.Services = a.servicesOf(ctx, rec.Good.Objects)
	}
	if gone(c, rec) {
		s.Status, s.Consents, s.Plan = Synced, nil, ""
		return s
	}
	if c != nil {
		s.Wanted = c.snapshot.Revision
		if app, ok := c.apps[w.name]; ok {
			s.Dir, s.Owner = app.Dir, app.Config.Owner
		}
		s.tellWindow(a.will(c, rec))
	}
	busy := w.isBusy()
	if !busy && st.EngineError == "" {
		if err := a.lookAtLive(ctx, c, w, rec, &s); err != nil {
			a.away(st, err)
		}
	}
	switch {
	case st.EngineError != "":
		s.Status, s.Health = unseen(word(rec, s)), Unknown
	case busy:
		s.Status, s.Health = Progressing, Progressing
	default:
		s.Status = word(rec, s)
	}
	s.tellWhy(rec, st)
	return s
}

// tellWindow adds what the app's windows say; that they cannot be read is told as a
// note.
func (s *AppStatus) tellWindow(now will, err error) {
	s.Window = now.window
	if err != nil {
		s.Notes = append(s.Notes, err.Error())
	}
}

// unseen is a status word without what only a look could tell.
func unseen(w Word) Word {
	switch w {
	case Synced, OutOfSync, Progressing:
		return Unknown
	}
	return w
}

// tellWhy adds to what the last pass said what it does not know: that there was
// none, or that this agent never acts.
func (s *AppStatus) tellWhy(rec state.Record, st *Status) {
	switch {
	case s.Status != OutOfSync:
	case st.ReadOnly && s.Outcome == Pending:
		s.Hint = "syncd plan " + s.Name + " shows it in full; nothing is done before the agent runs without --read-only"
	case s.Outcome == "" && rec.Good == nil:
		s.Reason, s.Hint = "nothing of it has been applied here yet", "syncd plan "+s.Name+" says what would be done"
	}
}

// lookAtLive compares the good set with what runs now. The error is that the
// engine does not answer; any other trouble is the app's own.
func (a *Agent) lookAtLive(ctx context.Context, c *catalog, w *worker, rec state.Record, s *AppStatus) error {
	if rec.Good == nil || w.questions.target == nil || rec.Released {
		return nil
	}
	pairs, err := w.observed(ctx, c, w.questions.observe, rec.Good.Objects, ownedBy(rec, c))
	if fault.Of(err) == fault.Unreachable {
		return err
	}
	if err != nil {
		s.Reason, s.Hint = err.Error(), fault.Advice(err)
		if fault.Of(err) == fault.Blocked { // another agent has it, whatever the last pass found
			s.Outcome = Blocked
		}
		return nil // it is told with the app
	}
	ours, strange := apart(pairs, drift.Compare(pairs, comparing(rec, c)))
	s.Drift, s.Health = driftLines(ours), feel(pairs)
	s.Notes = slices.Concat(s.Notes, strange, ours.Aside())
	s.tellDrift(rec, ours, a.opts.Now())
	return nil
}

// feel is the health of the whole app: that of its worst wanted instance.
func feel(pairs []resource.Pair) Word {
	health := Healthy
	for _, p := range pairs {
		if p.Want == nil || p.Want.Once || p.Key.Kind != spec.KindContainer && !p.Alone {
			continue // networks and volumes feel nothing; what stands alone tells how it feels
		}
		switch stateOf(p) {
		case resource.Failed, resource.Absent:
			return Unhealthy
		case resource.Progressing:
			health = Progressing
		}
	}
	return health
}

func stateOf(p resource.Pair) resource.State {
	live, ok := standing(p)
	if !ok {
		return resource.Absent
	}
	return live.Health.State
}

// word condenses record and drift to the one word that a person looks for.
func word(rec state.Record, s AppStatus) Word {
	switch {
	case s.Paused != nil || rec.Released:
		return WPaused
	case rec.Halted != "":
		return WHalted
	case rec.Held != nil:
		return WHeld
	case s.Outcome == RolledBack || s.Outcome == Held && fellBack(rec):
		return WRolledBack
	case s.Outcome == Held:
		return WHeld
	case s.Outcome == Blocked:
		return WBlocked
	case rec.Attempt != nil:
		return Progressing
	case rec.Good == nil || len(s.Drift) > 0 || s.Outcome == Pending || s.Outcome == Rejected:
		return OutOfSync
	default:
		return Synced
	}
}

// fellBack tells whether the held revision was put and taken back, rather than
// refused from the start.
func fellBack(rec state.Record) bool {
	n := len(rec.Quarantine)
	return n > 0 && rec.Quarantine[n-1].Class == fault.Unhealthy.String()
}
