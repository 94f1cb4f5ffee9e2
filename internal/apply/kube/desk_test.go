package kube

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"syncd.io/syncd/internal/apply"
)

func TestNewsOfManyAppsAreAllWritten(t *testing.T) {
	const many = 40
	p := newPlace(t)
	want := p.set(shop)[:1]
	p.deploy(want)
	pairs, _ := p.observe(want)
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() {
			news := apply.News{Key: want[0].Key, Ref: pairs[0].Live[0].Ref, Reason: fmt.Sprintf("Reason%d", i), Text: "one of many"}
			if err := p.target.Tell(t.Context(), news); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	p.engine.desk.clear()
	if got := len(p.events(pairs[0].Live[0].Ref.ID)); got != many {
		t.Errorf("%d of %d are there", got, many)
	}
}

func TestWhoFindsTheDeskTakenDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lost []error
		d := newDesk(t.Context(), func() bool { return false }, func(err error) { lost = append(lost, err) })
		var written atomic.Int32
		hold := make(chan struct{})
		slow := func(context.Context) error {
			<-hold
			written.Add(1)
			return nil
		}
		for range deskSeats {
			go func() {
				if err := d.take(t.Context(), slow); err != nil {
					t.Error(err)
				}
			}()
		}
		synctest.Wait()
		for range 10 {
			if err := d.take(t.Context(), slow); err != nil {
				t.Error(err)
			}
		}
		trouble := errors.New("forbidden")
		if err := d.take(t.Context(), func(context.Context) error { return trouble }); err != nil {
			t.Errorf("nobody has written it yet, and it came to %v", err)
		}
		close(hold)
		d.clear()
		if n := written.Load(); n != deskSeats+10 {
			t.Errorf("%d were written", n)
		}
		if len(lost) != 1 || !errors.Is(lost[0], trouble) {
			t.Errorf("lost are %v, want why one could not be written", lost)
		}
		if err := d.take(t.Context(), func(context.Context) error { return nil }); err != nil {
			t.Errorf("the next one is told of it: %v", err)
		}
	})
}

// Where others are busy, what is to be told gives way to what is to be done, for a
// while each time.
func TestEventsGiveWayToWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var busy atomic.Bool
		busy.Store(true)
		d := newDesk(t.Context(), busy.Load, func(err error) { t.Error(err) })
		var written atomic.Int32
		write := func(context.Context) error {
			written.Add(1)
			return nil
		}
		const many = 100
		for range many {
			if err := d.take(t.Context(), write); err != nil {
				t.Error(err)
			}
		}
		<-time.After(10*deskYield + time.Millisecond)
		if n := written.Load(); n != 10*deskSeats {
			t.Errorf("%d were written while others were busy, want %d", n, 10*deskSeats)
		}
		busy.Store(false)
		<-time.After(deskLook)
		if n := written.Load(); n != many {
			t.Errorf("%d were written, want all", n)
		}
		d.clear()
	})
}
