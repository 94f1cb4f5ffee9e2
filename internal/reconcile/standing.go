package reconcile

import (
	"cmp"
	"slices"

	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/state"
)

// Standings is how the apps of the revision that the repository asks for stand to it.
type Standings struct {
	// Wanted is that revision; zero where it was not seen yet.
	Wanted source.Revision
	Apps   []Standing
	// Refused are revisions that are not followed, by commit, with the reason.
	Refused map[string]string
}

// Standing is how one app stands, as far as its last pass found.
type Standing struct {
	App string
	// Judged is the commit that the last pass was about, Outcome and Reason what it came
	// to; empty before the first. Says is the reason without what moves while it stays as
	// it is, empty where that is the reason itself.
	Judged  string
	Outcome Outcome
	Reason  string
	Says    string
	// Waits tells that only a window, a consent or another app stands in the way.
	Waits bool
	// Busy tells that the app is being changed at the moment.
	Busy bool
	// Inputs is another value where the revision has other files for the app: those of
	// its directory, and all that its good set was made of.
	Inputs string
}

// Standings tells how each app stands, without a question to anybody.
func (a *Agent) Standings() Standings {
	s := Standings{Refused: a.refusals()}
	c := a.catalog.Load()
	if c == nil || c.blind {
		return s
	}
	s.Wanted = c.snapshot.Revision
	workers, err := a.known(nil)
	if err != nil { // asking for all names none that could be unknown
		return s
	}
	for _, w := range workers {
		if _, wanted := c.apps[w.name]; wanted {
			s.Apps = append(s.Apps, w.standing(c))
		}
	}
	return s
}

// Owners are those of the apps that are followed, by the apps' names, and "" where nobody
// is named; nil where nothing was seen yet.
func (a *Agent) Owners() map[string]string {
	c := a.catalog.Load()
	if c == nil || c.blind {
		return nil
	}
	owners := map[string]string{}
	for name, app := range c.apps {
		owners[name] = app.Config.Owner
	}
	return owners
}

func (w *worker) standing(c *catalog) Standing {
	w.mu.Lock()
	rec, busy := w.seen, w.busy
	w.mu.Unlock()
	last := rec.Last
	return Standing{
		App: w.name, Judged: last.Revision.Commit, Outcome: Outcome(last.Outcome), Reason: last.Reason, Says: last.Says, Busy: busy,
		Waits:  Outcome(last.Outcome) == Blocked && (last.Cause != "" || len(last.Consents) > 0),
		Inputs: w.inputsIn(c, rec),
	}
}

// look is a catalog that was asked for an app's inputs, and what it said.
type look struct {
	catalog    *catalog
	good, says string
}

// inputsIn is a hash over the app's files in the catalog, worked out once for each.
func (w *worker) inputsIn(c *catalog, rec state.Record) string {
	var good state.Set
	if rec.Good != nil {
		good = *rec.Good
	}
	w.mu.Lock()
	l := w.looked
	w.mu.Unlock()
	if l.catalog == c && l.good == good.Digest {
		return l.says
	}
	dir := c.apps[w.name].Dir
	paths := append([]string{cmp.Or(dir, ".") + "/"}, good.Paths...)
	l = look{catalog: c, good: good.Digest, says: c.inputs(dir, rec.HostDir, slices.Compact(paths), good.Variables)}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looked = l
	return l.says
}

// refusals are the revisions that are not followed: those that no apps could be found
// in, and those that remotes name and nobody signed.
func (a *Agent) refusals() map[string]string {
	out := map[string]string{}
	for _, r := range a.Remotes() {
		if r.State == source.RemoteUntrusted && r.Head != "" {
			out[r.Head] = r.Reason
		}
	}
	if last := a.refusal.Load(); last != nil && a.sourceErr.Load() != nil {
		out[last.commit] = last.err.Error()
	}
	return out
}
