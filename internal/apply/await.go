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
	w := &watcher{run: x, step: s, ref: ref, limit: readyLimit(s), left: readyLimit(s)}
	for {
		begun := time.Now()
		h, away, err := x.look(ctx, s.Key, ref)
		pause := x.pause(time.Since(begun))
		w.away = w.away || away
		switch {
		case ctx.Err() != nil:
			return result{err: context.Cause(ctx)}
		case fault.Of(err) == fault.Unreachable || fault.Of(err) == fault.Blocked: // who may not look has seen nothing
			return result{err: err}
		case err != nil:
			return w.failure(ctx, h, err.Error())
		}
		if done, res := w.judge(ctx, h); done {
			return res.unlessAway(w.away, h)
		}
		if !x.doze(ctx, pause, s.Key, ref) {
			return result{err: context.Cause(ctx)}
		}
		w.spend(time.Since(begun), x.Poll)
	}
}

// pause is the time between two looks: after one that took long, such as into a
// gate, several times that, for many may be under way.
func (x *run) pause(took time.Duration) time.Duration {
	const rest, most = 4, 9
	return min(max(x.Poll, rest*took), most*x.Poll)
}

// seldom is how much longer the pause is where the target tells when to look: what is
// left is what time alone changes.
const seldom = 5

// doze waits until it is worth another look; false where ctx has ended.
func (x *run) doze(ctx context.Context, pause time.Duration, key resource.Key, ref resource.Ref) bool {
	noticer, ok := x.Target.(Noticer)
	if !ok {
		return sleep(ctx, pause)
	}
	noticed := noticer.Noticed(key, ref)
	if noticed == nil {
		return sleep(ctx, pause)
	}
	timer := time.NewTimer(max(pause, seldom*x.Poll))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-noticed:
	case <-timer.C:
	}
	return true
}

// look asks for the health once; while the target does not answer, it asks
// again, and says that it was away.
func (x *run) look(ctx context.Context, key resource.Key, ref resource.Ref) (h resource.Health, away bool, err error) {
	err = x.patiently(ctx, func() (err error) {
		x.Sign()
		h, err = x.Target.Health(ctx, key, ref)
		away = away || fault.Of(err) == fault.Unreachable
		return err
	})
	return h, away, err
}

// unlessAway turns a failure that was found after the target had been away into
// none: an engine that restarts takes its instances down with it.
func (r result) unlessAway(away bool, h resource.Health) result {
	if r.failure == nil || !away || h.State != resource.Failed && h.State != resource.Absent {
		return r
	}
	return result{err: fault.As(fault.Unreachable, fmt.Errorf("the target was away meanwhile, and %s was found %s after it", r.failure.Step.Key, orUnknown(h.Reason)))}
}

// watcher holds the clocks of one await.
type watcher struct {
	run    *run
	step   Step
	ref    resource.Ref
	limit  time.Duration
	left   time.Duration // until the deadline, without the time the target was away
	stable time.Duration // how long it has been as wanted
	steady bool          // it was as wanted when it was last looked at
	begun  bool          // it has started, as far as was seen
	first  int           // restarts when it was first seen so
	seen   bool          // it has been as wanted once
	met    time.Time     // when that was
	base   int           // restarts when it was first as wanted
	last   int           // restarts when its present steadiness began
	away   bool          // the target did not answer for a while
	told   string
}

// spend takes the time of one look from the clocks. A look that took long
// because the target did not answer costs no more than a short one: clocks
// stand still while the target is unreachable.
func (w *watcher) spend(took, poll time.Duration) {
	took = min(took, 10*poll)
	w.left -= took
	if w.steady {
		w.stable += took
	}
}

// crashes is how often an instance may crash before it is as wanted: some do
// until what they need has come up.
const crashes = 5

func (w *watcher) judge(ctx context.Context, h resource.Health) (bool, result) {
	if !w.begun { // a look before its start sees none of the restarts that there were
		w.begun, w.first = h.Started, h.Restarts
	}
	switch {
	case h.Meets(w.step.Until):
		return w.watch(ctx, h)
	case h.Restarts >= w.first+crashes:
		return true, w.crashed(ctx, h, w.first)
	case h.State == resource.Absent:
		return true, w.failure(ctx, h, "disappeared while it was awaited")
	case h.State == resource.Failed:
		return true, w.failure(ctx, h, h.Reason)
	case w.left <= 0 && h.Unseen:
		return true, result{err: fault.As(fault.Unreachable, fmt.Errorf("%s: %s, for %s", w.step.Key, orUnknown(h.Reason), w.limit))}
	case w.left <= 0:
		return true, w.failure(ctx, h, fmt.Sprintf("not %s after %s (%s)", w.step.Until, w.limit, orUnknown(h.Reason)))
	}
	w.steady, w.stable = false, 0
	w.tell(h)
	return false, result{}
}

func (w *watcher) crashed(ctx context.Context, h resource.Health, since int) result {
	return w.failure(ctx, h, fmt.Sprintf("crashed %d times in a row", h.Restarts-since))
}

// watch lets the await succeed once the instance has been as wanted for the
// monitor's time without a restart. One that nothing probes is not proven before
// that: a restart lets its time begin anew.
func (w *watcher) watch(ctx context.Context, h resource.Health) (bool, result) {
	if !w.seen {
		w.seen, w.met, w.base, w.last = true, time.Now(), h.Restarts, h.Restarts
	}
	switch {
	case (h.Check != CheckRunning || w.step.For > 0) && h.Restarts > w.base:
		return true, w.failure(ctx, h, "restarted while it was watched")
	case h.Restarts >= w.base+crashes:
		return true, w.crashed(ctx, h, w.base)
	case h.Restarts > w.last:
		w.last, w.stable = h.Restarts, 0
	}
	w.steady = true
	if w.stable < w.monitor(h) {
		w.tell(h)
		return false, result{}
	}
	return true, result{ref: w.ref, restarts: h.Restarts, ran: span{ended: w.met}}
}

// monitor is how long it must stay as wanted: the step's or the policy's own time, or, for an
// instance without a healthcheck that this plan put, long enough to crash.
func (w *watcher) monitor(h resource.Health) time.Duration {
	if w.step.For > 0 {
		return w.step.For.D()
	}
	if w.step.Made == 0 || w.step.Until != resource.Healthy {
		return 0
	}
	if m := w.step.Policy.Monitor; m > 0 {
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
	every := time.Second
	if w.step.For > 0 {
		every = time.Minute
	}
	line := fmt.Sprintf("%s %d", h.Reason, elapsed/every)
	if line == w.told {
		return
	}
	w.told = line
	w.run.tell(Event{Step: w.step, Phase: Waiting, Detail: h.Reason, Elapsed: resource.Duration(elapsed), Limit: resource.Duration(w.limit)})
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

func readyLimit(s Step) time.Duration { return readyIn(s.Object, s.Policy) }

// readyIn is how long an instance of o may take from its start to where it is
// wanted, by the policy that it is put by.
func readyIn(o *resource.Object, policy resource.Policy) time.Duration {
	switch {
	case policy.Ready > 0:
		return policy.Ready
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
