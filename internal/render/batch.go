package render

import (
	"context"
	"errors"
	"fmt"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/sandbox"
)

// batch is the tasks of one child.
type batch struct {
	tasks []*task
	// answered is how many of them are; the child works on the next one.
	answered int
	cancel   context.CancelCauseFunc
	ended    chan struct{} // closed when the child is gone
}

// errUnwanted ends a child whose answers nobody waits for any more.
var errUnwanted = errors.New("nobody waits for it any more")

// wanted tells whether anybody waits for what is not answered yet.
func (b *batch) wanted() bool {
	for _, t := range b.tasks[b.answered:] {
		if !t.left {
			return true
		}
	}
	return false
}

// request is what the child is asked.
func (b *batch) request(maxObjects int, maxBytes int64) Batch {
	shared := *b.tasks[0].req.Shared
	shared.MaxObjects, shared.MaxBytes = maxObjects, maxBytes
	if shared.Kubernetes {
		shared.Tracked = nil
	}
	out := Batch{Shared: &shared}
	for _, t := range b.tasks {
		out.Requests = append(out.Requests, t.req)
	}
	return out
}

// begin returns what begins to work in a place.
func (c *Child) begin(ctx context.Context) func(*place) {
	return func(p *place) { go c.work(ctx, p) }
}

// work takes from the queue, and ends when nothing waits any more.
func (c *Child) work(ctx context.Context, p *place) {
	for {
		bounded, cancel := context.WithCancelCause(ctx)
		b := c.queue.next(p, cancel)
		if b == nil {
			cancel(nil)
			return
		}
		c.queue.finish(b, c.render(bounded, b, func() { c.queue.yield(p, b, c.begin(ctx)) }), c.begin(ctx))
		cancel(nil)
	}
}

// render runs one child. For one that takes its time alone yield is called.
func (c *Child) render(ctx context.Context, b *batch, yield func()) error {
	limits := c.Limits.Defaults()
	bound := bounds(limits)
	short := patience(bound.Time)
	if len(b.tasks) > 1 {
		bound.Time = short
	} else {
		defer time.AfterFunc(short, yield).Stop()
	}
	take := func(answer Answer, err error) error { return c.queue.answered(b, answer, err) }
	err := sandbox.CallEach(ctx, c.Sandbox, "render", b.request(limits.Objects, int64(limits.RenderSize)), take, bound)
	if err == nil && b.answered < len(b.tasks) {
		err = fault.As(bound.TimeoutClass, fmt.Errorf("render ended after %d of %d answers", b.answered, len(b.tasks)))
	}
	return err
}
