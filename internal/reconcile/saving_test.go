package reconcile_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/state"
)

// distant is a record that can be out of reach, as one in a cluster is.
type distant struct {
	*state.Store
	// left is how many saves still come through; none do after that.
	left atomic.Int64
}

var errFar = fault.As(fault.Unreachable, errors.New("the API server does not answer"))

func (d *distant) Save(r state.Record) error {
	if d.left.Add(-1) < 0 {
		return errFar
	}
	return d.Store.Save(r)
}

func (d *distant) SaveWith(r state.Record, entries ...state.Entry) (state.Entry, error) {
	if d.left.Add(-1) < 0 {
		return state.Entry{}, errFar
	}
	return d.Store.SaveWith(r, entries...)
}

// far restarts the agent with a record of which only so many saves come through.
func (w *world) far(saves int64) *distant {
	w.t.Helper()
	d := &distant{}
	w.restart(func(o *reconcile.Options) { d.Store = w.store; o.Store = d })
	d.left.Store(saves)
	return d
}

// lost makes a pass that cannot be booked.
func (w *world) lost() {
	w.t.Helper()
	if _, err := w.agent.Sync(w.t.Context(), reconcile.SyncRequest{Apps: []string{"shop"}}, nil); fault.Of(err) != fault.Unreachable {
		w.t.Fatalf("the pass came to %v, want it unreachable", err)
	}
}

func TestNothingIsTouchedThatCannotBeRecorded(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		d := w.far(0)
		w.repo.shop(healthy("v1"))
		w.lost()
		w.lost()
		if n := w.target.Changes(); n != 0 {
			t.Fatalf("%d changes were made without a record of them", n)
		}
		d.left.Store(1000)
		w.ends(reconcile.Applied)
		w.runs("web", "v1")
	})
}

func TestAWayBackThatCannotBeRecordedIsNotBegun(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		d := w.far(1) // the attempt
		w.repo.shop(never("v2"))
		w.lost()
		changes := w.target.Changes()
		w.lost()
		if n := w.target.Changes(); n != changes {
			t.Fatalf("%d changes were made without a record of them", n-changes)
		}
		d.left.Store(1000)
		w.ends(reconcile.RolledBack)
		w.runs("web", "v1")
	})
}

func TestALineOfHistoryThatCouldNotBeSavedIsNotLost(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		d := w.far(1) // the attempt
		w.repo.shop(healthy("v1"))
		w.lost()
		d.left.Store(1000)
		w.ends(reconcile.Unchanged)
		lines, err := w.agent.History(t.Context(), "shop", 0)
		if err != nil || len(lines) != 1 || lines[0].Outcome != string(reconcile.Applied) {
			t.Errorf("the history is %+v, %v; want the rollout, once", lines, err)
		}
		if w.record().Good == nil {
			t.Error("what became good is not on record")
		}
	})
}

func TestAWordThatCannotBeRecordedWasNotGiven(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		d := w.far(0)
		_, err := w.agent.Act(t.Context(), "pause", reconcile.ActRequest{App: "shop", Who: "ann", Reason: "hands off"}, nil)
		if fault.Of(err) != fault.Unreachable {
			t.Fatalf("it came to %v", err)
		}
		d.left.Store(1000)
		w.ends(reconcile.Unchanged)
		lines, err := w.agent.History(t.Context(), "shop", 0)
		if err != nil || len(lines) != 1 || strings.Contains(lines[0].Kind, "pause") {
			t.Errorf("the history is %+v, %v", lines, err)
		}
	})
}

// Of a thousand apps, a commit that changes one would else cost a thousand writes.
func TestNothingIsWrittenOfAnAppThatACommitLeavesAsItIs(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		d := w.far(1000)
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		if n := 1000 - d.left.Load(); n != 2 {
			t.Errorf("a change cost %d writes, want that of the attempt and that of the verdict", n)
		}
		d.left.Store(0)
		w.ends(reconcile.Unchanged)
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Unchanged)
		if s := w.status(); s.Outcome != reconcile.Unchanged || s.Good.Commit != commitName(1) {
			t.Errorf("status says %s, and that %s is good; want what the last look has found", s.Outcome, s.Good.Commit)
		}
		d.left.Store(2)
		w.repo.shop(healthy("v2"))
		w.ends(reconcile.Applied)
		if rec := w.record(); rec.Past[0].Revision.Commit != commitName(1) {
			t.Errorf("what was good before is %s on record, want it to come with the next write", rec.Past[0].Revision.Commit)
		}
	})
}

// A reason that moves while it stays as it is, such as a count of probes, is not written
// at each look.
func TestWhatStaysUnhealthyIsSavedOnce(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.merge(careful("report", 3))
		w.ends(reconcile.Applied)
		w.target.Break(key("web"), "unhealthy after 3 probes")
		w.ends(reconcile.Degraded)
		w.far(1) // of an agent that is new, the first look is noted
		for n := range 3 {
			w.target.Break(key("web"), fmt.Sprintf("unhealthy after %d probes", 4+n))
			w.ends(reconcile.Degraded)
		}
	})
}
