package kube_test

import (
	"context"
	"sync"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/reconcile"
)

// run starts the agent's loop, which ends with the test.
func (p *place) run() (*reconcile.Agent, func()) {
	p.t.Helper()
	a, done := p.agent()
	ctx, cancel := context.WithCancel(context.WithoutCancel(p.t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			p.t.Errorf("the loop ended with: %v", err)
		}
		done()
	})
	p.t.Cleanup(stop)
	return a, stop
}

// mark is how many events were heard until now.
func (p *place) mark() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.events)
}

// since returns the events after a mark.
func (p *place) since(mark int) []reconcile.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]reconcile.Event{}, p.events[mark:]...)
}

// await waits for an event after mark.
func (p *place) await(mark int, what string, is func(reconcile.Event) bool) (found reconcile.Event) {
	p.t.Helper()
	p.eventually(what, func() bool {
		for _, e := range p.since(mark) {
			if is(e) {
				found = e
				return true
			}
		}
		return false
	})
	return found
}

// awaitOutcome waits for a pass of the app that ends so.
func (p *place) awaitOutcome(mark int, outcome reconcile.Outcome) reconcile.Result {
	p.t.Helper()
	e := p.await(mark, "a pass ends "+string(outcome), func(e reconcile.Event) bool {
		return e.App == shop && e.Result != nil && e.Result.Outcome == outcome
	})
	return *e.Result
}

// awaitStep waits for a phase of a step in the slot.
func (p *place) awaitStep(mark int, slot string, phase apply.Phase) {
	p.t.Helper()
	p.await(mark, slot+" is "+string(phase), func(e reconcile.Event) bool {
		return e.Step != nil && e.Step.Step.Key.String() == slot && e.Step.Phase == phase
	})
}
