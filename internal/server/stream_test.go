package server_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
)

const soon = time.Minute

func TestEventsArriveWhileThePassStillRuns(t *testing.T) {
	heard := make(chan struct{})
	c := start(t, &fake{acting: func(ctx context.Context, hear func(reconcile.Event)) error {
		hear(reconcile.Event{App: "shop", Text: "pulling"})
		select {
		case <-heard:
			return nil
		case <-time.After(soon):
			return errors.New("the event was not heard while the pass ran")
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}}, "")
	results, err := c.Sync(t.Context(), reconcile.SyncRequest{}, func(e reconcile.Event) {
		if e.Text == "pulling" {
			close(heard)
		}
	})
	if err != nil || len(results) != 1 || results[0].Outcome != reconcile.Applied {
		t.Errorf("Sync = %+v, %v", results, err)
	}
}

func TestASlowTerminalDoesNotHoldUpARollout(t *testing.T) {
	ran := make(chan struct{})
	c := start(t, &fake{acting: func(_ context.Context, hear func(reconcile.Event)) error {
		for i := range 100_000 {
			hear(reconcile.Event{App: "shop", Text: strconv.Itoa(i)})
		}
		close(ran)
		return nil
	}}, "")
	first := true
	results, err := c.Sync(t.Context(), reconcile.SyncRequest{}, func(reconcile.Event) {
		if !first {
			return
		}
		first = false
		select {
		case <-ran:
		case <-time.After(soon):
			t.Error("the pass waits for its listener")
		}
	})
	if err != nil || len(results) != 1 {
		t.Errorf("Sync = %+v, %v", results, err)
	}
}

func TestAPassGoesOnWhenItsAskerGoesAway(t *testing.T) {
	saw, begun, gone := make(chan error, 1), make(chan struct{}), make(chan struct{})
	c := start(t, &fake{acting: func(ctx context.Context, hear func(reconcile.Event)) error {
		close(begun)
		<-gone
		hear(reconcile.Event{App: "shop", Text: "nobody listens"})
		saw <- ctx.Err()
		return nil
	}}, "")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-begun
		cancel(errors.New("Ctrl-C"))
	}()
	_, err := c.Sync(ctx, reconcile.SyncRequest{}, nil)
	failed(t, err, fault.Unknown, "Ctrl-C", "the agent goes on with it")
	close(gone)
	if err := <-saw; err != nil {
		t.Errorf("the pass was ended: %v", err)
	}
}

func TestAQuestionEndsWhenItsAskerGoesAway(t *testing.T) {
	ended := make(chan struct{})
	c := start(t, &fake{asking: func(ctx context.Context) {
		<-ctx.Done()
		close(ended)
	}}, "")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Plan(ctx, reconcile.PlanRequest{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Plan = %v, want the reason for which it was ended", err)
	}
	select {
	case <-ended:
	case <-time.After(soon):
		t.Error("the agent goes on with a question that nobody waits for")
	}
}

func TestAPassEndsWithTheAgentAndItsAskerIsTold(t *testing.T) {
	begun := make(chan struct{})
	c, stop, ended := startStoppable(t, &fake{acting: func(ctx context.Context, _ func(reconcile.Event)) error {
		close(begun)
		<-ctx.Done()
		return context.Cause(ctx)
	}}, "")
	go func() {
		<-begun
		stop()
	}()
	_, err := c.Sync(t.Context(), reconcile.SyncRequest{}, nil)
	failed(t, err, fault.Unreachable, "", "")
	if err := <-ended; err != nil {
		t.Errorf("Serve = %v, want nil after its context ended", err)
	}
	_, err = c.About(t.Context())
	failed(t, err, fault.Unreachable, "no agent answers", "")
}
