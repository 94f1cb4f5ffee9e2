package reconcile

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

// TestWhoComesBackGoesFirst has one place, which one gives away for a while: what was
// begun ends before something else begins.
func TestWhoComesBackGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, order := &places{most: 1}, make(chan string, 10)
		enter := func(name string, back bool) {
			go func() {
				if err := s.take(t.Context(), back); err != nil {
					t.Error(err)
				}
				order <- name
			}()
			synctest.Wait()
		}
		enter("a", false)
		enter("b", false)
		enter("c", false)
		s.give() // a soaks, and b has its place
		enter("a again", true)
		for range 3 {
			synctest.Wait()
			s.give()
		}
		synctest.Wait()
		for _, want := range []string{"a", "b", "a again", "c"} {
			if got := <-order; got != want {
				t.Errorf("%s has a place where it is %s's turn", got, want)
			}
		}
		if s.inUse() != 0 {
			t.Errorf("%d places are lost", s.inUse())
		}
	})
}

// TestWhoGivesUpLosesNoPlace ends those who wait, before and after they had a place.
func TestWhoGivesUpLosesNoPlace(t *testing.T) {
	s, over := &places{most: 1}, errors.New("over")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(over)
	if err := s.take(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	for _, back := range []bool{false, true} {
		if err := s.take(ctx, back); !errors.Is(err, over) {
			t.Errorf("it ended with %v", err)
		}
	}
	turn := s.queue(false)
	s.give() // it is turn's now
	s.leave(turn)
	if s.inUse() != 0 || len(s.back)+len(s.fresh) != 0 {
		t.Errorf("%d places are taken, %d wait", s.inUse(), len(s.back)+len(s.fresh))
	}
}
