package apply

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"syncd.io/syncd/internal/resource"
)

// The rollout's clocks where the plan's policy says nothing.
const (
	defaultReady    = time.Minute
	defaultJob      = time.Hour
	defaultPoll     = 100 * time.Millisecond
	defaultStable   = 2 * time.Second
	defaultPatience = 2 * time.Minute
	defaultGrace    = 30 * time.Second
	logLines        = 20
)

// Rollout carries a plan out: it decides nothing but when a step's gate is open.
type Rollout struct {
	Target Target
	// Watch hears every phase of every step, one call at a time; nil is silent.
	Watch func(Event)
	// Sign is called at each look at an instance, of several at once: whoever waits
	// is alive. Nil is nobody's.
	Sign func()
	// Poll is the time between two looks at an instance's health.
	Poll time.Duration
	// Stable is how long an instance without a healthcheck must run before it
	// counts as healthy.
	Stable time.Duration
	// Patience is how long the target may stay unreachable before the rollout
	// gives up without a verdict. Health clocks stand still meanwhile.
	Patience time.Duration
	// Grace is how long, after the context has ended, the rollout may take to
	// finish what it has begun and to fill the slots that it has emptied.
	Grace time.Duration
	// Before is what came of the rollout that this one mends: the gaps that it left
	// open are measured to their end.
	Before *Outcome
	// Aside runs a wait of minutes that needs nothing of the machine, such as a
	// canary's; nil just waits.
	Aside func(wait func())
	// Meanwhile runs a wait for nothing but what the target does by itself, once that
	// has taken a moment; nil just waits.
	Meanwhile func(wait func())
}

// run is one rollout under way. Its maps belong to the coordinating goroutine.
type run struct {
	*Rollout
	plan    Plan
	state   map[int]Phase
	outcome Outcome
	ran     map[int]span
	failed  map[string]int // group -> slots that failed
	results chan result
	running int
	ended   func() bool // told to end by its context
	telling sync.Mutex  // guards Watch: steps run side by side
	mu      sync.Mutex  // guards made
	made    map[int]resource.Ref
}

// result is how one step ended.
type result struct {
	step     Step
	ref      resource.Ref
	restarts int
	ran      span
	failure  *Failure
	err      error // no verdict: unreachable for too long, or the context ended
}

// Run carries plan out and returns what became of it. It returns when every
// step has ended or, after a failure that counts, when the steps under way have
// stopped. Cancelling ctx ends it in order: a slot whose old side was stopped
// still gets its new one. The cause is in Outcome.Err.
func (r *Rollout) Run(ctx context.Context, plan Plan) Outcome {
	waits, stop := context.WithCancel(ctx)
	defer stop()
	work, end := r.lingering(ctx)
	defer end()
	c := contexts{work: work, waits: waits}
	var fail context.CancelFunc
	c.owed, fail = context.WithCancel(work)
	defer fail()
	x := &run{
		Rollout: r.withDefaults(), plan: plan,
		state: map[int]Phase{}, ran: map[int]span{}, failed: map[string]int{}, made: map[int]resource.Ref{},
		results: make(chan result), ended: func() bool { return ctx.Err() != nil },
		outcome: Outcome{Made: map[resource.Key]resource.Ref{}, Restarts: map[resource.Key]int{}},
	}
	for x.launch(c); x.running > 0; x.launch(c) {
		x.settle(x.next())
		x.running--
		if x.over() {
			stop()
		}
		if len(x.outcome.Failures) > 0 {
			fail()
		}
	}
	x.outcome.Skipped = len(plan.Steps) - len(x.state)
	x.measure()
	if x.ended() && x.outcome.Skipped > 0 && !x.over() {
		x.outcome.Err = context.Cause(ctx)
	}
	return x.outcome
}

// contexts are for how long a rollout does what: work, what it has asked of the target;
// waits, what it waits for; owed, what it waits for to fill a slot that it has emptied.
type contexts struct{ work, waits, owed context.Context } //nolint:containedctx // they go down together, and no further

// next waits until a step under way has ended.
func (x *run) next() (res result) {
	wait := func() { res = <-x.results }
	under := func(is func(Step) bool) bool {
		return slices.ContainsFunc(x.plan.Steps, func(s Step) bool { return x.state[s.ID] == Begun && is(s) })
	}
	switch {
	case x.Aside != nil && !under(func(s Step) bool { return s.For == 0 }):
		x.Aside(wait)
	case x.Meanwhile != nil && !under(func(s Step) bool { return s.Verb != Await }):
		if soon, ok := x.within(x.Poll); ok {
			return soon
		}
		x.Meanwhile(wait)
	default:
		wait()
	}
	return res
}

// within waits a moment for a step under way to end.
func (x *run) within(moment time.Duration) (res result, ok bool) {
	timer := time.NewTimer(moment)
	defer timer.Stop()
	select {
	case res = <-x.results:
		return res, true
	case <-timer.C:
		return result{}, false
	}
}

func (r *Rollout) withDefaults() *Rollout {
	out := *r
	if out.Poll <= 0 {
		out.Poll = defaultPoll
	}
	if out.Stable <= 0 {
		out.Stable = defaultStable
	}
	if out.Patience <= 0 {
		out.Patience = defaultPatience
	}
	if out.Sign == nil {
		out.Sign = func() {}
	}
	return &out
}

// lingering returns a context that ends r.Grace after ctx.
func (r *Rollout) lingering(ctx context.Context) (context.Context, context.CancelFunc) {
	out, end := context.WithCancelCause(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, func() {
		last := time.AfterFunc(cmp.Or(r.Grace, defaultGrace), func() { end(context.Cause(ctx)) })
		context.AfterFunc(out, func() { last.Stop() })
	})
	return out, func() { unhook(); end(nil) }
}

// over tells whether no further step may begin.
func (x *run) over() bool { return x.outcome.Err != nil || len(x.outcome.Failures) > 0 }

// settle books a result.
func (x *run) settle(res result) {
	switch {
	case res.err != nil:
		x.state[res.step.ID] = FailedNow
		if x.outcome.Err == nil && !x.over() {
			x.outcome.Err = res.err
		}
	case res.failure != nil:
		x.fail(res)
	default:
		x.state[res.step.ID] = Done
		x.ran[res.step.ID] = res.ran
		x.book(res)
	}
}

// measure says how long who was stopped was missed.
func (x *run) measure() {
	var since absences
	if x.Before != nil {
		since = x.Before.absent
	}
	x.outcome.Gaps, x.outcome.absent = x.plan.gaps(x.ran, since)
}

func (x *run) book(res result) {
	if res.step.Verb == Put || res.step.Verb == Await {
		x.outcome.Made[res.step.Key] = res.ref
	}
	if res.step.Verb != Await {
		return
	}
	x.outcome.Restarts[res.step.Key] = res.restarts
	if res.step.Until == resource.Completed {
		x.outcome.Completed = append(x.outcome.Completed, *res.step.Object)
	}
}

func (x *run) fail(res result) {
	if x.tolerates(res) {
		x.state[res.step.ID] = Tolerated
		x.outcome.Tolerated = append(x.outcome.Tolerated, *res.failure)
		return
	}
	x.state[res.step.ID] = FailedNow
	x.outcome.Failures = append(x.outcome.Failures, *res.failure)
}

func (x *run) tell(e Event) {
	if x.Watch == nil {
		return
	}
	x.telling.Lock()
	defer x.telling.Unlock()
	x.Watch(e)
}
