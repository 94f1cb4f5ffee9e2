package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// verdict is an outcome with its reason and hint.
type verdict struct {
	outcome Outcome
	reason  string
	hint    string
	// says is the reason without what moves while it stays as it is: values, counters,
	// outputs, names of pods. Empty is the reason itself.
	says string
	// meanwhile is what was done, and went well, besides what the verdict is about.
	meanwhile string
	// cause is a word for programs, opens when what waits for a window may go on.
	cause string
	opens time.Time
}

// said is what is held against the next verdict: of what it says again is no news.
func (v verdict) said() string { return cmp.Or(v.says, v.reason) }

// and adds to what is said.
func (v verdict) and(reason, says string) verdict {
	v.reason, v.says = v.reason+reason, v.said()+says
	return v
}

// failing names an instance that is not well, and what found that: how often, and with
// which words, is another thing at each look.
func failing(key resource.Key, h resource.Health) string {
	return fmt.Sprintf("%s: %s", key, cmp.Or(h.Check, h.Reason))
}

// failure is failing for a step of a rollout; what no check has found speaks for itself.
func failure(f apply.Failure) string {
	if f.Health.Check == "" {
		return f.String()
	}
	return failing(f.Step.Key, f.Health)
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
