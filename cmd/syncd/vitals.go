package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"syncd.io/syncd/internal/pulse"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/state"
)

// missedPolls in a row without an answer make an agent not ready.
const missedPolls = 3

// How often, and for how long, is asked what an agent can do nothing without.
const (
	engineEvery = 15 * time.Second
	recordEvery = 30 * time.Second
	needLimit   = 10 * time.Second
)

// stage is how far the agent of this process has come.
type stage int

const (
	starting stage = iota
	standby
	working
)

// vitals are how the agent itself is. Whoever asks waits for nobody. Those of nobody
// (nil) are not looked at.
type vitals struct {
	heart *pulse.Heart
	// up is closed as soon as the agent answers at its socket, or waits for its engine.
	up   chan struct{}
	once sync.Once

	mu    sync.Mutex // guards what follows; nobody waits while he holds it
	stage stage
	// waits is what an agent that starts waits for.
	waits string
	agent sighted
	needs []*pulse.Need
	// unsaved is why the record could not be written last; nil where it could.
	unsaved error
}

// sighted is who sees a repository, or does not.
type sighted interface {
	Sight() reconcile.Sight
}

func newVitals() *vitals {
	return &vitals{heart: &pulse.Heart{}, up: make(chan struct{}), waits: "it begins"}
}

// beats is where loops give signs of life; nil is nowhere.
func (v *vitals) beats() *pulse.Heart {
	if v == nil {
		return nil
	}
	return v.heart
}

// waitsFor says that the agent waits before it can begin.
func (v *vitals) waitsFor(what string) {
	if v == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stage, v.waits = starting, "waiting for the "+what
	v.rise()
}

// standsBy says that another agent leads.
func (v *vitals) standsBy() {
	if v == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stage = standby
}

// rise says that the agent has started.
func (v *vitals) rise() { v.once.Do(func() { close(v.up) }) }

// works says that the agent has begun, and asks for what it needs until open is closed.
func (v *vitals) works(ctx context.Context, dir string, a sighted, engine reconcile.Engine, open *closers) {
	if v == nil {
		return
	}
	needs := []*pulse.Need{{Name: "record", Ask: func(context.Context) error { return v.writable(dir) }, Every: recordEvery, Limit: needLimit}}
	if pinger, ok := engine.(reconcile.Pinger); ok {
		needs = append(needs, &pulse.Need{Name: "engine", Ask: answers(pinger), Every: engineEvery, Limit: needLimit})
	}
	ctx, end := context.WithCancel(ctx)
	var hands sync.WaitGroup
	for _, n := range needs {
		hands.Go(func() { n.Watch(ctx) })
	}
	open.add(func() error { v.rests(); end(); hands.Wait(); return nil })
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stage, v.agent, v.needs, v.unsaved = working, a, needs, nil
}

// rests says that the agent has ended.
func (v *vitals) rests() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stage, v.waits, v.agent, v.needs = starting, "ending", nil, nil
}

// answers asks for a sign of life. What exactly is wrong stands in status and log, and
// not where anybody may read it.
func answers(p reconcile.Pinger) func(context.Context) error {
	return func(ctx context.Context) error {
		if p.Ping(ctx) != nil {
			return errors.New("it does not answer")
		}
		return nil
	}
}

// writable finds out whether the record can be written: as the last write says, and by
// a file beside it.
func (v *vitals) writable(dir string) error {
	v.mu.Lock()
	unsaved := v.unsaved
	v.mu.Unlock()
	if unsaved != nil {
		return errors.New("the last write failed")
	}
	probe := filepath.Join(dir, ".writable")
	if err := os.WriteFile(probe, []byte("syncd\n"), 0o600); err != nil {
		return errors.New("the state directory cannot be written")
	}
	if err := os.Remove(probe); err != nil {
		return errors.New("the state directory cannot be written")
	}
	return nil
}

// live is whether the process does anything at all. What is out of its reach is not its
// fault, and no restart would mend it.
func (v *vitals) live() pulse.Report { return pulse.Of(v.heart.Loops()) }

// ready is whether the agent could do what is asked of it. One that stands by could.
func (v *vitals) ready() pulse.Report {
	v.mu.Lock()
	stage, waits, agent, needs := v.stage, v.waits, v.agent, v.needs
	v.mu.Unlock()
	checks := []pulse.Check{v.heart.Loops()}
	switch stage {
	case starting:
		checks = append(checks, pulse.Check{Name: "start", Detail: waits})
	case standby:
		checks = append(checks, pulse.Check{Name: "standby", OK: true, Detail: "another agent leads"})
	case working:
		checks = append(checks, repositoryCheck(agent.Sight()))
		for _, n := range needs {
			checks = append(checks, n.Check())
		}
	}
	return pulse.Of(checks...)
}

// busy tells whether the agent is at work.
func (v *vitals) busy() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.stage == working
}

func repositoryCheck(s reconcile.Sight) pulse.Check {
	c := pulse.Check{Name: "repository"}
	switch {
	case !s.Looked:
		c.Detail = "it was not looked at yet"
	case s.Missed >= missedPolls:
		c.Detail = fmt.Sprintf("no answer in %d polls", s.Missed)
	default:
		c.OK = true
	}
	return c
}

// watching returns the record, such that what becomes of writes is noted.
func (v *vitals) watching(store record) record {
	if v == nil {
		return store
	}
	return watched{store, v}
}

func (v *vitals) saved(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.unsaved = err
}

// watched is a record whose writes are looked at.
type watched struct {
	record
	vitals *vitals
}

// Save implements reconcile.Records.
func (w watched) Save(r state.Record) error {
	err := w.record.Save(r)
	w.vitals.saved(err)
	return err
}

// SaveWith implements reconcile.Records.
func (w watched) SaveWith(r state.Record, entries ...state.Entry) (state.Entry, error) {
	e, err := w.record.SaveWith(r, entries...)
	w.vitals.saved(err)
	return e, err
}
