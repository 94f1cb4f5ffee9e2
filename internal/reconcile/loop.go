package reconcile

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Run is the agent's loop: it polls the repository, listens to the target, and
// passes over every app that something woke. It returns when ctx ends and every
// pass has stopped; nil for an orderly end.
func (a *Agent) Run(ctx context.Context) error {
	a.life.Store(&ctx)
	defer a.life.Store(nil) //nolint:contextcheck // it forgets the context, and makes none
	events := a.watch(ctx)
	var loops sync.WaitGroup
	defer loops.Wait()
	a.watchFiles(ctx, &loops)
	started := map[string]bool{}
	ticker := time.NewTicker(a.opts.Host.Repo.Interval.D())
	defer ticker.Stop()
	for {
		a.poll(ctx, &loops, started)
		if !a.listen(ctx, ticker.C, events) {
			return nil
		}
	}
}

// watch subscribes to what happens on the engine; nil where it tells nothing.
func (a *Agent) watch(ctx context.Context) <-chan string {
	if watcher, ok := a.opts.Engine.(Watcher); ok {
		return watcher.Watch(ctx)
	}
	return nil
}

// listen hands target events to the apps that they concern, until it is time to
// look at the repository again. It returns false when ctx ends.
func (a *Agent) listen(ctx context.Context, tick <-chan time.Time, events <-chan string) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-tick:
			return true
		case <-a.values:
			return true
		case <-a.poke:
			a.wakeAll()
			return true
		case app, open := <-events:
			if !open {
				events = nil
				continue
			}
			a.wakeFor(app)
		}
	}
}

// wakeFor wakes the app that a target event names; an event without a name says
// that some were lost, and wakes all.
func (a *Agent) wakeFor(app string) {
	if app == "" {
		a.wakeAll()
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if w := a.workers[app]; w != nil {
		wake(w.wake)
	}
}

func (a *Agent) wakeAll() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, w := range a.workers {
		wake(w.wake)
	}
}

// poll looks at the repository once, and lets every app know when there is
// something new.
func (a *Agent) poll(ctx context.Context, loops *sync.WaitGroup, started map[string]bool) {
	before := a.catalog.Load()
	c, err := a.look(ctx)
	if err != nil {
		a.tellSource(ctx, err)
	}
	if c == nil {
		return
	}
	workers, err := a.known(nil)
	if err != nil { // asking for all names none that could be unknown
		return
	}
	for _, w := range workers {
		if !started[w.name] {
			started[w.name] = true
			loops.Go(func() { w.loop(ctx) })
			wake(w.wake)
		}
		if c != before {
			a.preempt(ctx, w, c)
			wake(w.wake)
		}
	}
	if c != before {
		a.collect(c)
	}
}

// tellSource reports trouble with the repository when it begins or changes.
func (a *Agent) tellSource(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	a.hear(Event{Text: "the repository cannot be read: " + err.Error()})
}

// preempt ends a pass that puts something else than what the app asks for now.
// A revision that leaves this app as it is disturbs nobody.
func (a *Agent) preempt(ctx context.Context, w *worker, c *catalog) {
	digest := w.applying()
	if digest == "" {
		return
	}
	if _, wanted := c.apps[w.name]; !wanted {
		return
	}
	cand, err := w.candidate(ctx, c, w.read())
	if err == nil && cand.set.Digest != digest && quarantined(w.read(), cand.set) == nil {
		w.interrupt(errSuperseded)
	}
}

// loop passes over one app whenever something woke it, when a retry is due, and
// once in a while in any case.
func (w *worker) loop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		case <-time.After(w.pause()):
		}
		c := w.agent.catalog.Load()
		res, err := w.pass(ctx, c, false)
		if err != nil && !errors.Is(err, context.Canceled) {
			w.agent.hear(Event{App: w.name, Text: "the pass cannot be booked: " + err.Error()})
		}
		w.schedule(res, err)
	}
}

// wakeDependents lets the apps look again that wait for this one.
func (a *Agent) wakeDependents(app string) {
	c := a.catalog.Load()
	if c == nil {
		return
	}
	for name, other := range c.apps {
		if slices.Contains(other.Config.DependsOn, app) {
			a.wakeFor(name)
		}
	}
}

// The pauses before something is tried again that did not come to an end.
const (
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// schedule decides when the app is looked at again without being woken.
func (w *worker) schedule(res Result, err error) {
	switch res.Outcome {
	case Superseded:
		wake(w.wake)
	case Applied, RolledBack:
		w.agent.wakeDependents(w.name)
	}
	if err == nil && !again(res.Outcome) {
		w.retries = 0
		return
	}
	w.retries++
}

// again tells which outcomes are tried again soon, with growing pauses.
func again(o Outcome) bool {
	return o == Unreachable || o == Degraded || o == Blocked || o == Superseded
}

func (w *worker) pause() time.Duration {
	if w.retries == 0 {
		return w.agent.opts.Resync
	}
	return min(firstRetry<<min(w.retries-1, 6), lastRetry)
}

// collect throws away what no app needs any more: old snapshots and mounts.
func (a *Agent) collect(c *catalog) {
	if err := a.opts.Source.Collect(c.snapshot.Revision.Commit); err != nil {
		a.hear(Event{Text: "old snapshots stay: " + err.Error()})
	}
	keep := map[string]bool{}
	workers, err := a.known(nil)
	if err != nil { // asking for all names none that could be unknown
		return
	}
	for _, w := range workers {
		if w.isBusy() {
			return // what is being put may not be on record yet
		}
		for _, m := range mountsOf(w.read()) {
			keep[m] = true
		}
	}
	if _, err := a.opts.Mounts.Collect(keep); err != nil {
		a.hear(Event{Text: "old mounts stay: " + err.Error()})
	}
}
