package reconcile

import (
	"context"
	"errors"
	"time"

	"syncd.io/syncd/internal/fault"
)

// verdict is an outcome with its reason and hint.
type verdict struct {
	outcome Outcome
	reason  string
	hint    string
	// meanwhile is what was done, and went well, besides what the verdict is about.
	meanwhile string
	// cause is a word for programs, opens when what waits for a window may go on.
	cause string
	opens time.Time
}

// text is the reason, with what was done meanwhile.
func (v verdict) text() string {
	if v.meanwhile == "" {
		return v.reason
	}
	return v.reason + "; meanwhile: " + v.meanwhile
}

// verdictOf turns an error into the outcome that its class stands for. What
// nobody classified is treated as passing trouble: nothing is blamed for it.
func verdictOf(err error) verdict {
	v := verdict{reason: err.Error(), hint: fault.Advice(err)}
	switch {
	case errors.Is(err, errSuperseded), errors.Is(err, errAsked):
		v.outcome = Superseded
	case errors.Is(err, context.Canceled):
		v.outcome = Unreachable
	case fault.Of(err) == fault.Rejected:
		v.outcome = Rejected
	case fault.Of(err) == fault.Blocked:
		v.outcome = Blocked
	default:
		v.outcome = Unreachable
	}
	return v
}
