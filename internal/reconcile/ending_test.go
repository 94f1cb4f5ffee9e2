package reconcile_test

import (
	"context"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// alone is a database that holds its port alone: it is changed stop-first.
func alone(image string) resource.Object {
	o := one("db", `"image":"`+image+`"`)
	o.Claims = []resource.Claim{{Kind: resource.ClaimPort, Value: "0.0.0.0:5432"}}
	return o
}

// A pass that a person asked for is the agent's as much as the loop's own: the
// agent does not end under it.
func TestAgentAwaitsThePassesThatWereAskedFor(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(alone("v1"))
		w.ends(reconcile.Applied)
		ctx, end := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- w.agent.Run(ctx) }()
		later(time.Second)
		w.repo.shop(alone("v2"))
		w.target.OnCall(func(c applytest.Call) error {
			switch c.Verb {
			case "stop":
				end()
			case "put":
				time.Sleep(10 * time.Second) //nolint:forbidigo // the bubble's clock
			}
			return nil
		})
		asked := make(chan error, 1)
		go func() {
			_, err := w.agent.Sync(ctx, reconcile.SyncRequest{Apps: []string{"shop"}}, nil)
			asked <- err
		}()
		w.must(<-ran)
		w.runs("db", "v2")
		w.must(<-asked)
	})
}

func TestNothingBeginsAfterTheAgentsEnd(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		ctx, end := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- w.agent.Run(ctx) }()
		later(time.Minute)
		end()
		w.must(<-ran)
		w.repo.shop(healthy("v2"))
		w.target.Forget()
		for range 20 { // whoever is late has no luck
			if _, err := w.agent.Sync(ctx, reconcile.SyncRequest{}, nil); err == nil {
				t.Fatal("a pass began")
			}
		}
		if n := len(w.target.Calls()); n != 0 {
			t.Errorf("%d target calls", n)
		}
	})
}
