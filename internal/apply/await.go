package apply

import (
	"context"
	"fmt"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// await looks at an instance until it is as the step wants it and has stayed so
// for the policy's monitor, until it has failed, or until its deadline.
func (x *run) await(ctx context.Context, s Step, ref resource.Ref) result {
	w := &watcher{run: x, step: s, ref: ref, limit: readyLimit(s.Object), left: readyLimit(s.Object)}
	for {
		begun := time.Now()
		h, err := x.look(ctx, s.Key, ref)
		switch {
		case ctx.Err() != nil:
			return result{err: context.Cause(ctx)}
		case err != nil && fault.Of(err) == fault.Unreachable:
			return result{err: err}
		case err != nil:
			return w.failure(ctx, h, err.Error())
		}
		if done, res := w.judge(ctx, h); done {
			return res
		}
		if !sleep(ctx, x.Poll) {
			return result{err: context.Cause(ctx)}
		}
		w.spend(time.Since(begun), x.Poll)
	}
}

// look asks for the health once; while the target does not answer, it asks
// again.
func (x *run) look(ctx context.Context, key resource.Key, ref resource.Ref) (h resource.Health, err error) {
	err = x.patiently(ctx, func() (err error) {
		h, err = x.Target.Health(ctx, key, ref)
		return err
	})
	return h, err
}

// watcher holds the clocks of one await.
type watcher struct {
	run    *run
	step   Step
	ref    resource.Ref
	limit  time.Duration
	left   time.Duration // until the deadline, without the time the target was away
	stable time.Duration // how long it has been as wanted
	base   int           // restarts when it was first as wanted
	told   string
}

// spend takes the time of one look from the clocks. A look that took long
// because the target did not answer costs no more than a short one: clocks
// stand still while the target is unreachable.
func (w *watcher) spend(took, poll time.Duration) {
	took = min(took, 10*poll)
	w.left -= took
	w.stable += took
}

func (w *watcher) judge(ctx context.Context, h resource.Health) (bool, result) {
	switch {
	case h.Meets(w.step.Until):
		return w.steady(ctx, h)
	case h.State == resource.Absent:
		return true, w.failure(ctx, h, "disappeared while it was awaited")
	case h.State == resource.Failed:
		return true, w.failure(ctx, h, h.Reason)
	case w.left <= 0:
		return true, w.failure(ctx, h, fmt.Sprintf("not %s after %s (%s)", w.step.Until, w.limit, orUnknown(h.Reason)))
	}
	w.stable = 0
	w.tell(h)
	return false, result{}
}

// steady lets the await succeed once the instance has been as wanted for the
// monitor's time without a restart.
func (w *watcher) steady(ctx context.Context, h resource.Health) (bool, result) {
	if w.stable == 0 {
		w.base = h.Restarts
	}
	if h.Restarts > w.base {
		return true, w.failure(ctx, h, "restarted while it was watched")
	}
	if w.stable < w.monitor(h) {
		w.tell(h)
		return false, result{}
	}
	return true, result{ref: w.ref, restarts: h.Restarts}
}

// monitor is how long it must stay as wanted: the policy's own time, or, for an
// instance without a healthcheck that this plan put, long enough to crash.
func (w *watcher) monitor(h resource.Health) time.Duration {
	if w.step.Made == 0 || w.step.Until != resource.Healthy {
		return 0
	}
	if m := w.step.Object.Policy.Monitor; m > 0 {
		return m
	}
	if h.Check == CheckRunning {
		return w.run.Stable
	}
	return 0
}

// CheckRunning is Health.Check of an instance that nothing probes: all that is
// known is that it runs.
const CheckRunning = "running"

func (w *watcher) tell(h resource.Health) {
	elapsed := w.limit - w.left
	line := fmt.Sprintf("%s %d", h.Reason, elapsed/time.Second)
	if line == w.told {
		return
	}
	w.told = line
	w.run.tell(Event{Step: w.step, Phase: Waiting, Detail: h.Reason, Elapsed: elapsed, Limit: w.limit})
}

func (w *watcher) failure(ctx context.Context, h resource.Health, reason string) result {
	return result{failure: &Failure{
		Step: w.step, Ref: w.ref, Class: fault.Unhealthy, Health: h,
		Reason: reason, Lines: lastLines(ctx, w.run.Target, w.step.Key, w.ref),
	}}
}

// lastLines returns what the instance printed last; none where the target keeps
// no output or does not answer now: the verdict stands without it.
func lastLines(ctx context.Context, t Target, key resource.Key, ref resource.Ref) []string {
	e, ok := t.(Evidence)
	if !ok {
		return nil
	}
	ctx, stop := context.WithTimeout(ctx, 5*time.Second)
	defer stop()
	lines, err := e.Logs(ctx, key, ref, logLines)
	if err != nil {
		return []string{"(its output cannot be read: " + err.Error() + ")"}
	}
	return lines
}

func readyLimit(o *resource.Object) time.Duration {
	switch {
	case o.Policy.Ready > 0:
		return o.Policy.Ready
	case o.Once:
		return defaultJob
	default:
		return defaultReady
	}
}

func orUnknown(s string) string {
	if s == "" {
		return "no reason known"
	}
	return s
}
