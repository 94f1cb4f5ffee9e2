package reconcile

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestNobodyGoesTheRoundsAtRest lets somebody begin when something wakes an app or its
// pause is over, one at a time, and nobody once the agent has ended.
func TestNobodyGoesTheRoundsAtRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, begun := newRounds(), atomic.Int64{}
		is := func(want int64, when string) {
			t.Helper()
			synctest.Wait()
			if got := begun.Load(); got != want {
				t.Errorf("%s somebody began %d times, want %d", when, got, want)
			}
		}
		r.rouse()
		is(0, "before the agent follows the app")
		r.attend(func() bool { begun.Add(1); return true })
		is(1, "once it does")
		r.stir()
		if is(1, "while somebody goes them"); r.lie(time.Hour) {
			t.Error("they end, and the app was woken")
		}
		<-r.wake
		<-r.stirred
		if !r.lie(time.Hour) {
			t.Error("they go on for nothing")
		}
		time.Sleep(time.Hour - time.Second) //nolint:forbidigo // the clock of the bubble
		is(1, "within the pause")
		time.Sleep(time.Second) //nolint:forbidigo // the clock of the bubble
		if is(2, "after the pause"); !r.wasDue() || r.wasDue() {
			t.Error("nobody knows why, or it is due again")
		}
		r.lie(time.Hour)
		r.rouse()
		is(3, "when somebody wakes it")
		<-r.wake
		r.lie(time.Hour)
		r.retire()
		r.rouse()
		time.Sleep(2 * time.Hour) //nolint:forbidigo // the clock of the bubble
		is(3, "after the agent's end")
	})
}

// TestACrewEndsWithItsLast waits for who is under way, and lets nobody follow.
func TestACrewEndsWithItsLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c crew
		over := make(chan struct{})
		var ended atomic.Bool
		c.begin(func() { <-over })
		go func() { c.end(); ended.Store(true) }()
		synctest.Wait()
		if ended.Load() || c.begin(func() { t.Error("somebody followed") }) {
			t.Error("it has ended before its last, or somebody may follow")
		}
		close(over)
		if synctest.Wait(); !ended.Load() {
			t.Error("it does not end")
		}
	})
}
