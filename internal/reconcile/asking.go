package reconcile

import (
	"context"
	"encoding/json"
	"fmt"

	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// Status says what the named apps are and do; all where none is named. It looks
// at the target for apps that no pass is working on. Where one is named, its gates
// are asked, too.
func (a *Agent) Status(ctx context.Context, apps []string) (Status, error) {
	st, err := a.status(ctx, apps)
	if err == nil && len(apps) == 1 {
		a.addGates(ctx, &st, &st.Apps[0])
	}
	return st, err
}

func (a *Agent) status(ctx context.Context, apps []string) (Status, error) {
	st := Status{Host: a.opts.Host.Host.Name, Target: a.target(), Agent: a.life.Load() != nil, Recovered: a.opts.Store.Recovered()}
	st.ReadOnly = st.Agent && a.opts.ReadOnly
	if !st.Agent {
		if _, err := a.look(ctx); err != nil && a.catalog.Load() == nil {
			st.troubled(err)
		}
	}
	if err := a.sourceErr.Load(); err != nil {
		st.troubled(*err)
	}
	st.Remotes = a.Remotes()
	c := a.catalog.Load()
	if c != nil {
		st.Revision = c.snapshot.Revision
	}
	workers, err := a.known(apps)
	if err != nil {
		return st, err
	}
	if len(apps) == 0 {
		workers = present(c, workers)
	}
	a.askEngine(ctx, &st)
	for _, w := range workers {
		st.Apps = append(st.Apps, a.appStatus(ctx, c, w, &st))
	}
	return st, nil
}

// troubled notes why the newest revision cannot be seen, or is not accepted.
func (st *Status) troubled(err error) {
	st.SourceError, st.SourceHint, st.SourceOutcome = err.Error(), fault.Advice(err), ""
	if unsigned(err) {
		st.SourceOutcome = Rejected
	}
}

func (a *Agent) servicesOf(ctx context.Context, objects []resource.Object) []ServiceStatus {
	if a.onCluster() {
		return workloadsOf(objects)
	}
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

// History returns the latest entries of an app, newest first; limit 0 is all. That a
// change was begun is left out where it is told how it ended.
func (a *Agent) History(_ context.Context, app string, limit int) ([]state.Entry, error) {
	if _, err := a.known([]string{app}); err != nil {
		return nil, err
	}
	all, err := a.opts.Store.History(app, 0)
	out, ended := all[:0], false
	for _, e := range all {
		begun := e.Outcome == syncStarted
		if !begun || !ended {
			out = append(out, e)
		}
		ended = ended || e.Kind == kindSync
	}
	if limit > 0 {
		out = out[:min(limit, len(out))]
	}
	return out, err
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
