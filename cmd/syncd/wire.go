package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/sandbox"
	"syncd.io/syncd/internal/source/chart"
	"syncd.io/syncd/internal/state"
)

// What lies below the state directory, besides the record.
const (
	commitsDir = "commits"
	mountsDir  = "mounts"
	chartsDir  = "charts"
)

// mountsGrace keeps mounts that a pass has just made and not recorded yet.
const mountsGrace = 10 * time.Minute

// wiring says what a verb needs of an agent that is made in this process.
type wiring struct {
	engine   need
	readOnly bool
	log      *slog.Logger
	// hear gets every event of the agent, progress that of pulls; nil is nobody.
	hear, progress func(reconcile.Event)
	// why hears of the agent's decisions; nil is nobody.
	why func(app, text string)
	// meters count what is asked of others; nil is nobody.
	meters *meters
	// teller lets people be told; nil tells nobody.
	teller *teller
	// vitals are how the agent is; nil is nobody's business.
	vitals *vitals
	// marker marks deploys in Grafana; nil marks none.
	marker *marker
	// feedback lets forges be told; nil tells none.
	feedback *feedback
	// seat is that of an agent that leads already.
	seat seat
	// note tells the person at the terminal something.
	note func(string)
}

// openLocal makes an agent in this process, under the lock of the state
// directory, or the lease of the record in the cluster. done ends all that it holds. Errors: Blocked where another agent
// works on the directory or a part is missing; Unreachable for an engine that is
// needed and does not answer.
func openLocal(ctx context.Context, host config.Host, w wiring) (a *reconcile.Agent, done func() error, err error) {
	var open closers
	defer func() {
		if err != nil {
			err = errors.Join(err, open.close())
		}
	}()
	if err := w.engineNamed(host); err != nil {
		return nil, nil, err
	}
	child, err := sandbox.Find(ctx)
	if err != nil {
		return nil, nil, err
	}
	child.Ran = w.meters.ofChild()
	if err := checkSource(host); err != nil {
		return nil, nil, err
	}
	store, err := w.openRecord(ctx, host, &open)
	if err != nil {
		return nil, nil, err
	}
	store = w.vitals.watching(w.tell(ctx, host, store, &open))
	repo, err := w.openSource(host, child, store, &open)
	if err != nil {
		return nil, nil, err
	}
	engine, err := w.openEngine(ctx, host, store.ID(), &open)
	if err != nil {
		return nil, nil, err
	}
	a, err = reconcile.New(reconcile.Options{
		Host:     host,
		Source:   repo,
		Renderer: &render.Child{Sandbox: child, Limits: host.Limits},
		Charts:   chart.New(chart.Options{Dir: filepath.Join(host.State, chartsDir), CAFile: host.Repo.Auth.CAFile, Limits: host.Limits, Sandbox: child}),
		Engine:   engine,
		Store:    store,
		Mounts:   state.Mounts{Dir: filepath.Join(host.State, mountsDir), Grace: mountsGrace},
		ReadOnly: w.readOnly,
		Hear:     w.hear,
		Heart:    w.vitals.beats(),
		Why:      w.why,
	})
	if err == nil {
		w.teller.follow(a)
		w.feedback.follow(a)
		w.vitals.works(ctx, host.State, a, engine, &open)
	}
	return a, open.close, err
}

// engineNamed refuses an environment that names no engine, where it is the one to
// say which.
func (w wiring) engineNamed(host config.Host) error {
	if w.engine == unneeded || host.Docker != "" || host.Kubernetes != nil {
		return nil
	}
	return config.CheckEngine("DOCKER_HOST", os.Getenv("DOCKER_HOST"))
}

// closers are what has to be closed, in reverse order.
type closers []func() error

func (c *closers) add(f func() error) { *c = append(*c, f) }

func (c *closers) close() error {
	var err error
	for i := len(*c) - 1; i >= 0; i-- {
		err = errors.Join(err, (*c)[i]())
	}
	*c = nil
	return err
}
