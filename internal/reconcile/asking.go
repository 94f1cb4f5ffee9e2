package reconcile

import (
	"context"
	"encoding/json"
	"fmt"

	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
	"syncd.io/syncd/internal/state"
)

// Status says what the named apps are and do; all where none is named. It looks
// at the target for apps that no pass is working on.
func (a *Agent) Status(ctx context.Context, apps []string) (Status, error) {
	st := Status{Host: a.opts.Host.Host.Name, Agent: a.life.Load() != nil, Recovered: a.opts.Store.Recovered()}
	if !st.Agent {
		if _, err := a.look(ctx); err != nil && a.catalog.Load() == nil {
			st.SourceError, st.SourceHint = err.Error(), fault.Advice(err)
		}
	}
	if err := a.sourceErr.Load(); err != nil {
		st.SourceError, st.SourceHint = (*err).Error(), fault.Advice(*err)
	}
	c := a.catalog.Load()
	if c != nil {
		st.Revision = c.snapshot.Revision
	}
	workers, err := a.known(apps)
	if err != nil {
		return st, err
	}
	for _, w := range workers {
		if len(apps) == 0 && gone(c, w.read()) {
			continue
		}
		st.Apps = append(st.Apps, a.appStatus(ctx, c, w))
	}
	return st, nil
}

// gone tells whether nobody asks for the app and nothing of it is left.
func gone(c *catalog, rec state.Record) bool {
	if c == nil || c.blind || rec.Good != nil || rec.Attempt != nil || rec.Halted != "" || rec.Released {
		return false
	}
	_, wanted := c.apps[rec.App]
	return !wanted
}

func (a *Agent) appStatus(ctx context.Context, c *catalog, w *worker) AppStatus {
	rec := w.read()
	s := AppStatus{
		Name: w.name, Dir: rec.Dir, Outcome: Outcome(rec.Last.Outcome), Reason: rec.Last.Reason,
		Hint: rec.Last.Hint, Since: rec.Last.Since, Consents: rec.Last.Consents, Plan: rec.Last.Plan,
		Quarantine: rec.Quarantine, Paused: paused(rec, a.opts.Now()), Held: rec.Held, Health: Unknown,
	}
	if rec.Good != nil {
		s.Good = rec.Good.Revision
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
	}
	if w.isBusy() {
		s.Status, s.Health = Progressing, Progressing
		return s
	}
	a.lookAtLive(ctx, c, w, rec, &s)
	s.Status = word(rec, s)
	return s
}

// lookAtLive compares the good set with what runs now.
func (a *Agent) lookAtLive(ctx context.Context, c *catalog, w *worker, rec state.Record, s *AppStatus) {
	if rec.Good == nil || w.target == nil || rec.Released {
		return
	}
	pairs, err := w.target.Observe(ctx, rec.Good.Objects, ownedBy(rec, c))
	if err != nil {
		s.Reason, s.Hint = err.Error(), fault.Advice(err)
		return
	}
	s.Drift = driftLines(drift.Compare(pairs, comparing(rec, c)))
	s.Health = feel(pairs)
}

// feel is the health of the whole app: that of its worst wanted instance.
func feel(pairs []resource.Pair) Word {
	health := Healthy
	for _, p := range pairs {
		if p.Want == nil || p.Want.Once || p.Key.Kind != spec.KindContainer {
			continue
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
	if len(p.Live) == 0 {
		return resource.Absent
	}
	return p.Live[0].Health.State
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

func (a *Agent) servicesOf(ctx context.Context, objects []resource.Object) []ServiceStatus {
	var out []ServiceStatus
	for _, c := range containers(objects) {
		if n := len(out); n > 0 && out[n-1].Service == c.Service {
			out[n-1].Replicas++
			continue
		}
		s := ServiceStatus{Service: c.Service, Replicas: 1, Image: c.Image, Digest: c.Digest}
		if s.Digest == "" {
			s.Digest = c.Pin
		}
		if facts, ok := a.opts.Engine.(Facts); ok {
			if image, here, err := facts.Image(ctx, c.Pin); err == nil && here {
				s.Version, s.Created, s.Source = image.Version, image.Created, image.Revision
			}
		}
		out = append(out, s)
	}
	return out
}

// History returns the latest entries of an app, newest first.
func (a *Agent) History(_ context.Context, app string, limit int) ([]state.Entry, error) {
	if _, err := a.known([]string{app}); err != nil {
		return nil, err
	}
	return a.opts.Store.History(app, limit)
}

// Logs returns what was kept of the instances that failed in an attempt at the
// revision (a commit or its beginning); of every attempt where it is empty.
func (a *Agent) Logs(_ context.Context, app, revision string) ([]state.FailedLog, error) {
	if _, err := a.known([]string{app}); err != nil {
		return nil, err
	}
	return a.opts.Store.Logs(app, revision)
}

// Rendered returns the objects that the repository asks for, as indented JSON
// with secrets masked.
func (a *Agent) Rendered(ctx context.Context, app string) ([]byte, error) {
	c, err := a.look(ctx)
	if err != nil {
		return nil, err
	}
	workers, err := a.known([]string{app})
	if err != nil {
		return nil, err
	}
	if _, here := c.apps[app]; !here {
		return nil, fault.As(fault.Rejected, fmt.Errorf("the repository does not ask for app %s on this host", app))
	}
	cand, err := workers[0].candidate(ctx, c, workers[0].read())
	if err != nil {
		return nil, err
	}
	var out []shownObject
	for _, o := range cand.set.Objects {
		out = append(out, shownObject{Key: o.Key, Group: o.Group, Needs: o.Needs, Once: o.Once, Claims: o.Claims, Spec: drift.Masked(o.Spec, o.Sensitive)})
	}
	return json.MarshalIndent(out, "", "  ")
}

// shownObject is an object as a person may see it.
type shownObject struct {
	Key    resource.Key     `json:"key"`
	Group  string           `json:"group,omitempty"`
	Needs  []resource.Need  `json:"needs,omitempty"`
	Once   bool             `json:"once,omitempty"`
	Claims []resource.Claim `json:"claims,omitempty"`
	Spec   any              `json:"spec"`
}
