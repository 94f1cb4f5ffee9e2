package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/source"
)

// learning runs a test with an agent whose source learns so; told are the events that
// are about it.
func learning(t *testing.T, study func(context.Context) error, test func(t *testing.T, w *world, h *held, told func() []string)) {
	t.Helper()
	holding(t, func(t *testing.T, w *world, h *held) {
		var mu sync.Mutex
		var told []string
		h.study = study
		w.restart(func(o *reconcile.Options) {
			o.Source, o.Renderer = h, h
			o.Hear = func(e reconcile.Event) {
				mu.Lock()
				defer mu.Unlock()
				if strings.HasPrefix(e.Text, "what came before") {
					told = append(told, e.Text)
				}
			}
		})
		test(t, w, h, func() []string {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(told)
		})
	})
}

// A server that gives out history slowly, or never, keeps nobody from what is new; and
// the agent's end does not wait for it.
func TestLearningThatHangsDelaysNoPoll(t *testing.T) {
	hang := func(ctx context.Context) error {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	learning(t, hang, func(t *testing.T, w *world, h *held, told func() []string) {
		w.repo.shop(healthy("v1"))
		stop := w.background()
		later(time.Minute)
		w.repo.forget()
		w.repo.shop(healthy("v2"))
		later(5 * 30 * time.Second)
		if resolved, _ := w.repo.asked(); resolved != 5 {
			t.Errorf("%d ref queries in five intervals", resolved)
		}
		w.runs("web", "v2")
		begun := time.Now()
		stop()
		if took := time.Since(begun); took > 0 || len(told()) > 0 {
			t.Errorf("the end took %s; told was %q", took, told())
		}
	})
}

// One that never ends is ended, and tried again: with growing pauses, as long as the
// revision is the one that is followed.
func TestLearningHasADeadline(t *testing.T) {
	hang := func(ctx context.Context) error {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	learning(t, hang, func(t *testing.T, w *world, h *held, told func() []string) {
		w.repo.shop(healthy("v1"))
		defer w.background()()
		later(3 * time.Hour)
		h.set(func() {
			if h.studied < 5 || h.studied > 18 {
				t.Errorf("it was tried %d times in three hours", h.studied)
			}
		})
		if said := told(); len(said) != 1 || !strings.Contains(said[0], "10m0s") {
			t.Errorf("told was %q", said)
		}
		h.set(func() { h.study = nil })
		w.repo.shop(healthy("v2"))
		later(11 * time.Minute)
		h.set(func() {
			if !slices.Equal(h.learnt, []string{commitName(1)}) {
				t.Errorf("learnt is %v", h.learnt)
			}
		})
	})
}

// Nothing new need come for what failed to be tried again.
func TestWhatCouldNotBeLearntIsTriedAgain(t *testing.T) {
	left := 3
	failing := func(context.Context) error {
		if left--; left >= 0 {
			return fault.As(fault.Unreachable, errors.New("connection reset"))
		}
		return nil
	}
	learning(t, failing, func(t *testing.T, w *world, h *held, told func() []string) {
		w.repo.shop(healthy("v1"))
		defer w.background()()
		later(20 * time.Minute)
		h.set(func() {
			if !slices.Equal(h.learnt, []string{commitName(0)}) || h.studied != 4 {
				t.Errorf("learnt is %v, after %d tries", h.learnt, h.studied)
			}
		})
		if said := told(); len(said) != 1 || !strings.Contains(said[0], "connection reset") {
			t.Errorf("told was %q", said)
		}
	})
}

// Where the repository does not answer, nobody asks it for more.
func TestNothingIsLearntOfARepositoryThatIsDown(t *testing.T) {
	learning(t, nil, func(t *testing.T, w *world, h *held, _ func() []string) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.fail(fault.As(fault.Unreachable, errors.New("no route")))
		stop := w.background()
		defer stop()
		later(time.Hour)
		h.set(func() {
			if h.studied != 0 {
				t.Errorf("it was tried %d times", h.studied)
			}
		})
		w.repo.fail(nil)
		later(3 * time.Minute)
		h.set(func() {
			if !slices.Equal(h.learnt, []string{commitName(0)}) {
				t.Errorf("learnt is %v", h.learnt)
			}
		})
	})
}

// What gives way to somebody who waits is no trouble: nothing is told, and the next poll
// has it tried again.
func TestLearningThatGivesWayIsNoTrouble(t *testing.T) {
	left := 5
	busy := func(context.Context) error {
		if left--; left >= 0 {
			return fmt.Errorf("fetch the history: %w", source.ErrGivesWay)
		}
		return nil
	}
	learning(t, busy, func(t *testing.T, w *world, h *held, told func() []string) {
		w.repo.shop(healthy("v1"))
		defer w.background()()
		later(5 * time.Minute)
		h.set(func() {
			if !slices.Equal(h.learnt, []string{commitName(0)}) || h.studied != 6 {
				t.Errorf("learnt is %v, after %d tries", h.learnt, h.studied)
			}
		})
		if said := told(); len(said) > 0 {
			t.Errorf("told was %q", said)
		}
	})
}
