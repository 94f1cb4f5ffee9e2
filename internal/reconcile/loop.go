package reconcile

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// Run is the agent's loop: it polls the repository, listens to the target, and
// passes over every app that something woke. It returns when ctx ends and every
// pass has stopped, those that somebody asked for included; nil for an orderly
// end.
func (a *Agent) Run(ctx context.Context) error {
	a.life.Store(&ctx)
	defer a.life.Store(nil) //nolint:contextcheck // it forgets the context, and makes none
	defer a.rest()
	var loops sync.WaitGroup
	defer loops.Wait()
	if err := a.keepTimes(ctx, &loops); err != nil { // before anything runs that would be waited for
		return err
	}
	a.watchFiles(ctx, &loops)
	a.watchSource(ctx, &loops)
	f := follower{Agent: a, loops: &loops, started: map[string]bool{}}
	defer f.restAll()
	loops.Go(func() { f.follow(ctx) })
	a.listen(ctx, a.watch(ctx))
	return nil
}

// watch subscribes to what happens on the engine; nil where it tells nothing.
func (a *Agent) watch(ctx context.Context) <-chan string {
	if watcher, ok := a.opts.Engine.(Watcher); ok {
		return watcher.Watch(ctx)
	}
	return nil
}

// listen hands target events to the apps that they concern, until ctx ends. An event
// without a name says that some were lost, and concerns all.
func (a *Agent) listen(ctx context.Context, events <-chan string) {
	for {
		select {
		case <-ctx.Done():
			return
		case app, open := <-events:
			if !open {
				events = nil
				continue
			}
			hands := a.opts.Heart.Begin("the loop of events", prompt)
			a.stirFor(app)
			hands.End()
		}
	}
}

// stirFor lets the app look, or all where none is named, when its target is at rest.
func (a *Agent) stirFor(app string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for name, w := range a.workers {
		if name == app || app == "" {
			w.stir()
		}
	}
}

// wakeFor wakes an app.
func (a *Agent) wakeFor(app string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w := a.workers[app]; w != nil {
		w.rouse()
	}
}

func (a *Agent) wakeAll() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, w := range a.workers {
		w.rouse()
	}
}

// turn is one pass, and what follows for the next.
func (w *worker) turn(ctx context.Context) {
	res, err := w.pass(ctx, w.agent.catalog.Load(), wish{})
	if err != nil && (ctx.Err() == nil || !errors.Is(err, context.Cause(ctx))) {
		w.agent.hear(Event{App: w.name, Text: "the pass cannot be booked: " + err.Error()})
	}
	w.schedule(res, err)
}

// aside runs do on a stack of its own, which ends with it, and waits for it.
func aside(do func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	<-done
}

// What happens on a target often comes in bursts: a container that is removed makes
// half a dozen events. One look is made when it has been quiet for a moment, and in
// any case after the longest burst.
const (
	quiet        = 50 * time.Millisecond
	longestBurst = 300 * time.Millisecond
)

// rest waits for the end of a burst of events. Whoever else wakes the app does not
// wait for it.
func (w *worker) rest(ctx context.Context) {
	longest := time.After(longestBurst)
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
			return
		case <-longest:
			return
		case <-time.After(quiet):
			return
		case <-w.stirred:
		}
	}
}

// wakeDependents lets the apps look again that wait for this one.
func (a *Agent) wakeDependents(app string) {
	c := a.catalog.Load()
	if c == nil {
		return
	}
	for _, name := range c.dependents[app] {
		a.wakeFor(name)
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
		w.rouse()
	case Applied, RolledBack:
		w.agent.wakeDependents(w.name)
	}
	w.opens = res.Opens
	if err == nil && (!again(res.Outcome) || res.Cause == CauseWindow) {
		w.retries = 0
		return
	}
	w.retries++
}

// again tells which outcomes are tried again soon, with growing pauses.
func again(o Outcome) bool {
	return o == Unreachable || o == Degraded || o == Blocked || o == Superseded
}

// pause is how long an app that nothing wakes is left alone: until a retry is
// due, until a person's pause is over or a window opens, and never longer than between two full
// looks, for a clock may be set meanwhile.
func (w *worker) pause() time.Duration {
	if w.retries == 0 {
		return w.untilOpen(w.untilResumed(w.agent.opts.Resync))
	}
	pause := min(firstRetry<<min(w.retries-1, 6), lastRetry)
	return pause/2 + rand.N(pause/2+1) // not all apps, and not all hosts, at once
}

func (w *worker) untilResumed(longest time.Duration) time.Duration {
	now := w.agent.opts.Now()
	p := paused(w.read(), now)
	if p == nil || p.Until.IsZero() {
		return longest
	}
	return min(p.Until.Sub(now), longest)
}
