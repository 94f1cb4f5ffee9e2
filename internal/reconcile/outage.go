package reconcile

import (
	"context"
	"errors"
	"strings"
	"time"

	"syncd.io/syncd/internal/fault"
)

// Pinger is an engine that can be asked for a sign of life, at little cost.
type Pinger interface {
	// Ping asks for one. Errors: Unreachable.
	Ping(ctx context.Context) error
}

// askEngine finds out whether the engine answers, so that status need not find it
// out app by app.
func (a *Agent) askEngine(ctx context.Context, st *Status) {
	if a.opts.Engine == nil {
		st.EngineError, st.EngineHint = "no "+a.idiom().place+" could be reached", "see that it runs; syncd check says more"
		return
	}
	if pinger, ok := a.opts.Engine.(Pinger); ok {
		if err := pinger.Ping(ctx); err != nil {
			a.away(st, err)
		}
	}
}

// away notes that the engine does not answer, and since when as far as passes
// have found it: the same trouble is what they ended with.
func (a *Agent) away(st *Status, err error) {
	st.EngineError, st.EngineHint, st.EngineSince = err.Error(), fault.Advice(err), time.Time{}
	workers, unknown := a.known(nil)
	if unknown != nil { // asking for all names none that could be unknown
		return
	}
	for _, w := range workers {
		last := w.read().Last
		same := Outcome(last.Outcome) == Unreachable && strings.Contains(last.Reason, root(err).Error())
		if same && (st.EngineSince.IsZero() || last.Since.Before(st.EngineSince)) {
			st.EngineSince = last.Since
		}
	}
}

// root is what an error is about, without what was being done.
func root(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
