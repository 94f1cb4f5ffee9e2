package reconcile_test

import (
	"testing"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// standing is how an app stands to the wanted revision.
func (w *world) standing(app string) reconcile.Standing {
	w.t.Helper()
	for _, s := range w.agent.Standings().Apps {
		if s.App == app {
			return s
		}
	}
	w.t.Fatalf("nobody knows how %s stands", app)
	return reconcile.Standing{}
}

// Who asks how an app stands learns what its last pass came to, for which commit, and
// whether a later one gives it other files.
func TestHowAnAppStandsToTheWantedRevision(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		if s := w.agent.Standings(); s.Wanted.Commit != "" || len(s.Apps) != 0 {
			t.Errorf("before the first look it says %+v", s)
		}
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		first := w.standing("shop")
		if first.Outcome != reconcile.Applied || first.Judged != w.agent.Standings().Wanted.Commit || first.Busy || first.Waits {
			t.Errorf("it stands %+v", first)
		}

		apps := two("v1", "v1") // the shop's files stay as they are
		apps["shop"] = appFiles{objects: []resource.Object{healthy("v1")}}
		w.repo.merge(apps)
		w.all()
		if s := w.standing("shop"); s.Inputs != first.Inputs || s.Outcome != reconcile.Unchanged || s.Judged != w.agent.Standings().Wanted.Commit {
			t.Errorf("after a commit to another app it stands %+v, before %+v", s, first)
		}
		w.repo.shop(never("v2"))
		w.ends(reconcile.RolledBack)
		failed := w.standing("shop")
		if failed.Inputs == first.Inputs || failed.Outcome != reconcile.RolledBack || failed.Reason == "" {
			t.Errorf("after one that fails it stands %+v", failed)
		}
		w.restart()
		w.ends(reconcile.Held)
		if s := w.standing("shop"); s.Inputs != failed.Inputs {
			t.Error("a restart is taken for other files")
		}
	})
}

// What only waits for another app, or for the time, is told from what cannot be.
func TestWhatWaitsIsToldFromWhatCannotBe(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		apps := two("v1", "v1")
		dependsOn(apps, "blog", "shop")
		dependsOn(apps, "shop", "blog")
		w.repo.merge(apps)
		w.all()
		if s := w.standing("shop"); s.Outcome != reconcile.Blocked || !s.Waits {
			t.Errorf("who waits for another app stands %+v", s)
		}
		apps = two("v2", "v1")
		dependsOn(apps, "shop", "bolg")
		w.repo.merge(apps)
		w.all()
		if s := w.standing("shop"); s.Outcome != reconcile.Blocked || s.Waits {
			t.Errorf("who needs one that is not there stands %+v", s)
		}
	})
	inWindows(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v2"))
		w.held()
		if s := w.standing("shop"); !s.Waits {
			t.Errorf("who waits for the time stands %+v", s)
		}
	}, config.HostWindow{Kind: nightly.Kind, Schedule: nightly.Schedule, Duration: nightly.Duration})
}
