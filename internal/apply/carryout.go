package apply

import (
	"context"
	"fmt"
	"slices"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// caught does one step. A defect on its way is no verdict on what is put.
func (x *run) caught(ctx, waits context.Context, s Step) (res result) {
	defer func() {
		if r := recover(); r != nil {
			res = result{step: s, err: fault.Caught(r)}
		}
	}()
	return x.carryOut(ctx, waits, s)
}

// carryOut does one step, to its end or to the context's. What has been asked of
// the target is let finish when waits ends; awaits, pauses and retries are not.
func (x *run) carryOut(ctx, waits context.Context, s Step) result {
	if !sleep(waits, s.Delay.D()) {
		return result{step: s, err: context.Cause(waits)}
	}
	x.tell(Event{Step: s, Phase: Begun})
	begun := time.Now()
	res := x.act(ctx, waits, s)
	res.step = s
	res.ran.begun = begun
	if res.ran.ended.IsZero() {
		res.ran.ended = time.Now()
	}
	x.report(res, time.Since(begun))
	return res
}

func (x *run) act(ctx, waits context.Context, s Step) result {
	switch s.Verb {
	case Put:
		return x.put(ctx, waits, s)
	case Await:
		return x.await(waits, s, x.refOf(s))
	case Stop:
		return x.plain(waits, s, func() error { return x.stop(ctx, s) })
	default:
		return x.plain(waits, s, func() error { return x.remove(ctx, s) })
	}
}

// remove never removes what this rollout has put: a target that found the old
// instance good enough has kept it.
func (x *run) remove(ctx context.Context, s Step) error {
	if x.puts(s.Ref) {
		return fault.As(fault.Rejected, fmt.Errorf("remove %s: the target kept this instance instead of replacing it", s.Key))
	}
	return x.Target.Remove(ctx, s.Key, s.Ref)
}

func (x *run) puts(ref resource.Ref) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, made := range x.made {
		if made.ID == ref.ID {
			return true
		}
	}
	return false
}

func (x *run) put(ctx, waits context.Context, s Step) result {
	var ref resource.Ref
	res := x.plain(waits, s, func() (err error) {
		ref, err = x.hand(ctx, s)
		return err
	})
	if res.failure == nil && res.err == nil {
		res.ref = ref
		x.mu.Lock()
		x.made[s.ID] = ref
		x.mu.Unlock()
	}
	return res
}

// hand gives the target what the step puts.
func (x *run) hand(ctx context.Context, s Step) (resource.Ref, error) {
	if s.Traffic == nil {
		return x.Target.Put(ctx, *s.Object)
	}
	router, ok := x.Target.(Router)
	if !ok {
		return resource.Ref{}, fault.As(fault.Rejected, fmt.Errorf("put %s: this target has no routes", s.Key))
	}
	return router.Route(ctx, *s.Object, x.resolved(*s.Traffic))
}

// resolved names the instances that earlier steps have made. Whom the target kept
// instead of making another does not leave.
func (x *run) resolved(to Traffic) Traffic {
	x.mu.Lock()
	defer x.mu.Unlock()
	to.In = slices.Clone(to.In)
	for _, id := range to.Made {
		to.In = append(to.In, x.made[id])
	}
	to.Made = nil
	to.Out = slices.DeleteFunc(slices.Clone(to.Out), func(r resource.Ref) bool {
		return slices.ContainsFunc(to.In, func(in resource.Ref) bool { return in.ID == r.ID })
	})
	return to
}

func (x *run) refOf(s Step) resource.Ref {
	x.mu.Lock()
	defer x.mu.Unlock()
	if s.Made != 0 {
		return x.made[s.Made]
	}
	return s.Ref
}

func (x *run) stop(ctx context.Context, s Step) error {
	stopper, ok := x.Target.(Stopper)
	if !ok {
		return fault.As(fault.Rejected, fmt.Errorf("stop %s: this target cannot stop without removing", s.Key))
	}
	return stopper.Stop(ctx, s.Key, s.Ref)
}

// plain does something that succeeds, fails, or is tried again while the target
// does not answer.
func (x *run) plain(waits context.Context, s Step, do func() error) result {
	err := x.patiently(waits, do)
	switch {
	case err == nil:
		return result{}
	case waits.Err() != nil:
		return result{err: context.Cause(waits)}
	case fault.Of(err) == fault.Unreachable || fault.Of(err) == fault.Blocked: // no fault of what is put
		return result{err: err}
	}
	class := fault.Of(err)
	if class == fault.Unknown {
		class = fault.Rejected
	}
	return result{failure: &Failure{Step: s, Ref: s.Ref, Class: class, Reason: err.Error(), Hint: fault.Advice(err)}}
}

// report tells the watcher how the step ended. Whether a failure counts is
// decided later; here it is told as what it is.
func (x *run) report(res result, took time.Duration) {
	e := Event{Step: res.step, Phase: Done, Elapsed: resource.Duration(took)}
	switch {
	case res.err != nil:
		e.Phase, e.Detail = Skipped, res.err.Error()
	case res.failure != nil && (res.step.Innocent || res.step.Tidy):
		e.Phase, e.Detail = Tolerated, res.failure.Reason
	case res.failure != nil:
		e.Phase, e.Detail = FailedNow, res.failure.Reason
	}
	x.tell(e)
}
