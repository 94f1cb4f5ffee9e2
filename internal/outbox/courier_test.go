package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/outbox"
	"syncd.io/syncd/internal/pulse"
)

// receiver is somebody who is sent things, and what was told of it.
type receiver struct {
	mu       sync.Mutex
	answer   func(key string, attempt int) error
	attempts map[string]int
	log      []string // KEY@SECONDS OUTCOME
	begun    time.Time
}

// sent runs a courier for so long on what is queued, with this receiver.
func sent(t *testing.T, box *outbox.Box, answer func(key string, attempt int) error, pause, during time.Duration) *receiver {
	t.Helper()
	r := &receiver{answer: answer, attempts: map[string]int{}, begun: time.Now()}
	ctx, cancel := context.WithTimeout(t.Context(), during)
	defer cancel()
	outbox.Courier{Box: box, Topic: "chat", Deliver: r.deliver, Pause: pause, Told: r.told}.Run(ctx)
	return r
}

func (r *receiver) deliver(_ context.Context, item outbox.Item) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempts[item.Key]++
	return r.answer(item.Key, r.attempts[item.Key])
}

func (r *receiver) told(item outbox.Item, what outbox.Outcome, _ error) {
	r.log = append(r.log, fmt.Sprintf("%s@%d %s", item.Key, int(time.Since(r.begun).Seconds()), what))
}

func always(err error) func(string, int) error { return func(string, int) error { return err } }

func TestItemsArriveInTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := fresh(t)
		queue(t, box, "chat", outbox.Item{Key: "a"}, outbox.Item{Key: "b"}, outbox.Item{Key: "c"})
		r := sent(t, box, always(nil), 10*time.Second, time.Minute)
		if got := strings.Join(r.log, ", "); got != "a@0 delivered, b@10 delivered, c@20 delivered" {
			t.Error(got)
		}
		if got := keys(t, box, "chat"); len(got) > 0 {
			t.Errorf("%v still wait", got)
		}
	})
}

// Pauses grow, and nothing overtakes what came before.
func TestAReceiverThatFailsIsLeftAloneForLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := fresh(t)
		queue(t, box, "chat", outbox.Item{Key: "a"}, outbox.Item{Key: "b"})
		begun := time.Now()
		r := sent(t, box, func(string, int) error {
			if time.Since(begun) < time.Hour {
				return errors.New("500")
			}
			return nil
		}, 0, 3*time.Hour)
		if n := r.attempts["a"] + r.attempts["b"]; n < 10 || n > 20 {
			t.Errorf("it was tried %d times within an hour: %v", n, r.log)
		}
		ends := slices.DeleteFunc(slices.Clone(r.log), func(l string) bool { return strings.HasSuffix(l, "retried") })
		if len(ends) != 2 || !strings.HasSuffix(ends[0], "delivered") || !strings.HasSuffix(ends[1], "delivered") {
			t.Errorf("it ended with %v", ends)
		}
	})
}

func TestARefusedItemIsNotTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := fresh(t)
		queue(t, box, "chat", outbox.Item{Key: "a"}, outbox.Item{Key: "b"})
		r := sent(t, box, func(key string, _ int) error {
			if key == "a" {
				return fault.As(fault.Rejected, errors.New("404"))
			}
			return nil
		}, 0, time.Minute)
		if got := strings.Join(r.log, ", "); got != "a@0 refused, b@0 delivered" {
			t.Error(got)
		}
	})
}

func TestAReceiverSaysWhenToComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := fresh(t)
		queue(t, box, "chat", outbox.Item{Key: "a"})
		r := sent(t, box, func(_ string, attempt int) error {
			if attempt == 1 {
				return fmt.Errorf("send: %w", outbox.After(errors.New("429"), 90*time.Second))
			}
			return nil
		}, 0, time.Hour)
		if got := strings.Join(r.log, ", "); got != "a@0 retried, a@90 delivered" {
			t.Error(got)
		}
	})
}

func TestAfterADayAnItemIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := fresh(t)
		queue(t, box, "chat", outbox.Item{Key: "a"})
		r := sent(t, box, always(errors.New("500")), 0, 30*time.Hour)
		if last := r.log[len(r.log)-1]; !strings.HasSuffix(last, "given up") || len(keys(t, box, "chat")) > 0 {
			t.Errorf("it ended with %s", last)
		}
	})
}

// A clock that jumps ahead by days ends nothing that was not tried.
func TestAClockThatJumpsGivesNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := fresh(t)
		queue(t, box, "chat", outbox.Item{Key: "a"})
		time.Sleep(72 * time.Hour) //nolint:forbidigo // the clock of the bubble jumps
		begun := time.Now()
		r := sent(t, box, func(string, int) error {
			if time.Since(begun) < time.Hour {
				return errors.New("500")
			}
			return nil
		}, 0, 2*time.Hour)
		if got := r.log[len(r.log)-1]; !strings.HasSuffix(got, "delivered") {
			t.Errorf("it ended with %s", got)
		}
	})
}

// A courier that hangs is found, and named: one that its own receiver lets wait until the
// deadline does not hang, however often, nor does one that has nothing to do.
func TestACourierThatHangsIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		deliver func(ctx context.Context) error
		items   []outbox.Item
		want    string
	}{
		"nothing to do":      {func(context.Context) error { return nil }, nil, ""},
		"well":               {func(context.Context) error { return nil }, []outbox.Item{{Key: "a"}}, ""},
		"an endpoint hangs":  {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, []outbox.Item{{Key: "a"}, {Key: "b"}}, ""},
		"an endpoint is off": {func(context.Context) error { return errors.New("500") }, []outbox.Item{{Key: "a"}}, ""},
		"it hangs itself":    {func(context.Context) error { time.Sleep(2 * time.Hour); return nil }, []outbox.Item{{Key: "a"}}, "the courier of chat"}, //nolint:forbidigo // it hangs, in a bubble
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				box, heart := fresh(t), &pulse.Heart{}
				queue(t, box, "chat", c.items...)
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Hour)
				defer cancel()
				var hands sync.WaitGroup
				hands.Go(func() {
					outbox.Courier{Box: box, Topic: "chat", Limit: 5 * time.Minute, Heart: heart, Told: func(outbox.Item, outbox.Outcome, error) {},
						Deliver: func(ctx context.Context, _ outbox.Item) error { return c.deliver(ctx) }}.Run(ctx)
				})
				found := map[string]bool{}
				for ctx.Err() == nil {
					for _, h := range heart.Hung() {
						found[h.Name] = true
					}
					time.Sleep(10 * time.Second) //nolint:forbidigo // the clock of the bubble
				}
				hands.Wait()
				if found[c.want] != (c.want != "") || len(found) > 1 {
					t.Errorf("found is %v", found)
				}
			})
		})
	}
}

// One item that its receiver cannot digest holds nobody up for long.
func TestAnItemThatAloneFailsLetsOthersPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := fresh(t)
		queue(t, box, "chat", outbox.Item{Key: "bad"}, outbox.Item{Key: "b"}, outbox.Item{Key: "c"})
		r := sent(t, box, func(key string, _ int) error {
			if key == "bad" {
				return errors.New("500")
			}
			return nil
		}, 0, 10*time.Minute)
		if r.attempts["b"] != 1 || r.attempts["c"] != 1 || r.attempts["bad"] < 5 {
			t.Errorf("%v", r.log)
		}
		if got := keys(t, box, "chat"); len(got) > 0 && got[0] != "bad" {
			t.Errorf("%v still wait", got)
		}
	})
}

func TestWhatComesLaterIsSentAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := fresh(t)
		time.AfterFunc(time.Minute, func() { queue(t, box, "chat", outbox.Item{Key: "a"}) })
		r := sent(t, box, always(nil), 0, time.Hour)
		if got := strings.Join(r.log, ", "); got != "a@60 delivered" {
			t.Error(got)
		}
	})
}

// The end of the agent waits three seconds for a receiver that hangs, and keeps the item.
func TestACourierEndsWhoeverHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := fresh(t)
		queue(t, box, "chat", outbox.Item{Key: "a"})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		begun := time.Now()
		outbox.Courier{Box: box, Topic: "chat", Told: func(outbox.Item, outbox.Outcome, error) {}, Deliver: func(ctx context.Context, _ outbox.Item) error {
			<-ctx.Done()
			return ctx.Err()
		}}.Run(ctx)
		if took := time.Since(begun); took != 13*time.Second {
			t.Errorf("it ended after %v", took)
		}
		if got := keys(t, box, "chat"); len(got) != 1 {
			t.Errorf("%v wait", got)
		}
	})
}
