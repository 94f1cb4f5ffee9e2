package reconcile_test

import (
	"testing"
	"time"

	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/reconcile"
)

// known is what the agent knows of the shop.
func (w *world) known() reconcile.Known {
	w.t.Helper()
	for _, k := range w.agent.Known() {
		if k.App == "shop" {
			return k
		}
	}
	w.t.Fatal("nothing is known of the shop")
	return reconcile.Known{}
}

func TestWhatIsKnownFollowsThePasses(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		first := w.known()
		if first.Good.Commit == "" || first.Wanted.Commit != first.Good.Commit || first.Synced.IsZero() || first.Outcome != reconcile.Applied || first.Passes[reconcile.Applied] != 1 {
			t.Errorf("after the first revision it knows %+v", first)
		}
		later(time.Hour)
		w.ends(reconcile.Unchanged)
		if k := w.known(); !k.Synced.After(first.Synced) || !k.GoodSince.Equal(first.GoodSince) || k.Rollbacks != 0 {
			t.Errorf("an hour later it knows %+v", k)
		}
		w.repo.shop(never("v2"))
		w.ends(reconcile.RolledBack)
		k := w.known()
		if k.Rollbacks != 1 || k.Quarantined != 1 || k.Good.Commit != first.Good.Commit || k.Wanted.Commit == k.Good.Commit || len(k.Drift) != 0 {
			t.Errorf("after the way back it knows %+v", k)
		}
		w.ends(reconcile.Held)
		if k := w.known(); !k.Held || k.Rollbacks != 1 {
			t.Errorf("while it is held it knows %+v", k)
		}
	})
}

func TestDriftIsKnownAsLongAsItIsThere(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.restart(readOnly)
		w.target.Edit(key("web"), `{"image":"v1","pin":"sha256:v1","size":"large"}`)
		w.ends(reconcile.Pending)
		if k := w.known(); k.Drift[drift.Modified] != 1 || len(k.Drift) != 1 {
			t.Errorf("it knows of drift %v", k.Drift)
		}
		w.target.Vanish(key("web"))
		w.ends(reconcile.Pending)
		if k := w.known(); k.Drift[drift.Missing] != 1 || len(k.Drift) != 1 {
			t.Errorf("it knows of drift %v", k.Drift)
		}
		w.restart()
		w.ends(reconcile.Applied)
		if k := w.known(); len(k.Drift) != 0 || k.Synced.IsZero() {
			t.Errorf("after the repair it knows %+v", k)
		}
	})
}

// What is held is repaired, too; what was repaired is no drift any more.
func TestDriftThatWasRepairedWhileHeldIsNotKept(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.shop(never("v2"))
		w.ends(reconcile.RolledBack)
		w.target.Vanish(key("web"))
		w.ends(reconcile.Held)
		if k := w.known(); len(k.Drift) != 0 {
			t.Errorf("it knows of drift %v", k.Drift)
		}
	})
}

func TestWhoSoaksHasGivenItsPlaceAway(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.merge(map[string]appFiles{"shop": watched(time.Hour, healthy("v1"))})
		defer w.background()()
		later(10 * time.Minute)
		if p := w.agent.Places(); p != (reconcile.Places{Aside: 1}) {
			t.Errorf("in the soak there are %+v", p)
		}
		asked := time.Now()
		if w.known(); time.Since(asked) > 0 {
			t.Errorf("what is known was told after %s: it waits for the pass", time.Since(asked))
		}
		later(2 * time.Hour)
		if p := w.agent.Places(); p != (reconcile.Places{}) || !w.agent.SourceSeen() {
			t.Errorf("at rest there are %+v", p)
		}
	})
}
