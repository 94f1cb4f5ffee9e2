package endtoend_test

import (
	"context"
	"encoding/json"
	"sync"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/state"
)

// run starts the agent's loop and returns the agent with how to end it. The loop
// ends with the test in any case.
func (h *host) run(change ...func(*reconcile.Options)) (*reconcile.Agent, func()) {
	h.t.Helper()
	a, closeAgent := h.agent(change...)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Errorf("the loop ended with: %v", err)
		}
		closeAgent()
	})
	h.t.Cleanup(stop)
	return a, stop
}

// mark is how many events were heard until now.
func (h *host) mark() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.events)
}

// since returns the events after a mark.
func (h *host) since(mark int) []reconcile.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]reconcile.Event{}, h.events[mark:]...)
}

// await waits for an event after mark.
func (h *host) await(mark int, what string, is func(reconcile.Event) bool) (found reconcile.Event) {
	h.t.Helper()
	defer func() {
		if h.t.Failed() {
			h.t.Log(h.story())
		}
	}()
	dockertest.Eventually(h.t, what, func() bool {
		for _, e := range h.since(mark) {
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
func (h *host) awaitOutcome(mark int, outcome reconcile.Outcome) reconcile.Result {
	h.t.Helper()
	e := h.await(mark, "a pass that ends "+string(outcome), func(e reconcile.Event) bool {
		return e.App == h.project && e.Result != nil && e.Result.Outcome == outcome
	})
	return *e.Result
}

// awaitStep waits for a phase of a step in the slot.
func (h *host) awaitStep(mark int, slot string, phase apply.Phase) {
	h.t.Helper()
	h.await(mark, slot+" "+string(phase), func(e reconcile.Event) bool {
		return e.App == h.project && e.Step != nil && e.Step.Step.Key.String() == slot && e.Step.Phase == phase
	})
}

// act says a word about the app, with an agent of its own.
func (h *host) act(verb string, req reconcile.ActRequest) reconcile.ActResult {
	h.t.Helper()
	a, closeAgent := h.agent()
	defer closeAgent()
	out, err := h.actOn(a, verb, req)
	h.must(err)
	return out
}

func (h *host) actOn(a *reconcile.Agent, verb string, req reconcile.ActRequest) (reconcile.ActResult, error) {
	h.t.Helper()
	req.App, req.Who = h.project, "ada"
	ctx, stop := context.WithTimeout(h.t.Context(), passLimit)
	defer stop()
	return a.Act(ctx, verb, req, nil)
}

// status is the app's, from an agent of its own.
func (h *host) status() reconcile.AppStatus {
	h.t.Helper()
	a, closeAgent := h.agent()
	defer closeAgent()
	st, err := a.Status(h.t.Context(), []string{h.project})
	h.must(err)
	return st.Apps[0]
}

// record reads the app's record from the state directory.
func (h *host) record() state.Record {
	h.t.Helper()
	store, err := state.Open(h.state)
	h.must(err)
	defer func() { h.must(store.Close()) }()
	rec, err := store.Record(h.project)
	h.must(err)
	return rec
}

// printed is v as a person or a program may get to see it.
func (h *host) printed(v any) string {
	h.t.Helper()
	text, err := json.Marshal(v)
	h.must(err)
	return string(text)
}
