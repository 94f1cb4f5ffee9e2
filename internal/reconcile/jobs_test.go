package reconcile_test

import (
	"slices"
	"testing"
	"time"

	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// release is a web service behind its migration.
func release(web resource.Object, migration resource.Object) []resource.Object {
	return []resource.Object{needing(web, "migrate", resource.Completed), migration}
}

func migration(image string, onRollback resource.OnRollback) resource.Object {
	return job("migrate", `"image":"`+image+`"`, resource.Job{OnRollback: onRollback})
}

func TestJobRunsOncePerInput(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(release(healthy("v1"), migration("v1", ""))...)
		w.ends(reconcile.Applied)
		w.target.Vanish(key("migrate"))
		w.ends(reconcile.Unchanged)
		w.repo.shop(release(healthy("v2"), migration("v1", ""))...)
		w.ends(reconcile.Applied)
		if len(w.target.Instances(key("migrate"))) != 0 {
			t.Error("the migration ran again with the same input")
		}
	})
}

func TestMigrationThenFailureHaltsByDefault(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(release(healthy("v1"), migration("v1", ""))...)
		w.ends(reconcile.Applied)
		w.repo.shop(release(never("v2"), migration("v2", ""))...)
		w.ends(reconcile.Halted)
		w.ends(reconcile.Halted)
		w.runs2("web")
	})
}

// runs2 fails the test unless old and new both are still there to look at.
func (w *world) runs2(name string) {
	w.t.Helper()
	if n := len(w.target.Instances(key(name))); n != 2 {
		w.t.Errorf("slot %s holds %d instances, want the old and the failed one", name, n)
	}
}

func TestMigrationThenFailureWithKeepRollsBack(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(release(healthy("v1"), migration("v1", resource.KeepOnRollback))...)
		w.ends(reconcile.Applied)
		w.repo.shop(release(never("v2"), migration("v2", resource.KeepOnRollback))...)
		w.ends(reconcile.RolledBack)
		w.runs("web", "v1")
		for _, i := range w.target.Instances(key("migrate")) {
			if contains(i.Spec, "v1") {
				t.Error("the rollback ran the old migration")
			}
		}
	})
}

func TestMigrationThenFailureRunsItsRestore(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(release(healthy("v1"), migration("v1", resource.KeepOnRollback))...)
		w.ends(reconcile.Applied)
		restore := job("restore", `"image":"r1"`, resource.Job{OnDemand: true})
		forward := job("migrate", `"image":"v2"`, resource.Job{OnRollback: resource.RunOnRollback, Run: "restore"})
		w.repo.shop(append(release(never("v2"), forward), restore)...)
		w.ends(reconcile.RolledBack)
		w.runs("web", "v1")
		if n := w.target.Count("put container/restore/1"); n != 1 && len(w.target.Instances(key("restore"))) == 0 {
			t.Errorf("the restore did not run:\n%s", w.target.Log())
		}
	})
}

func TestFailingJobRollsBackAndIsNotRunAgain(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(release(healthy("v1"), migration("v1", ""))...)
		w.ends(reconcile.Applied)
		broken := job("migrate", `"health":"exit:3","image":"v2"`, resource.Job{})
		w.repo.shop(release(healthy("v2"), broken)...)
		w.ends(reconcile.RolledBack)
		w.runs("web", "v1")
		w.ends(reconcile.Held)
	})
}

// A run is in the record as soon as the job has exited: whoever is killed while
// the rest starts does not forget that data was changed.
func TestJobIsBookedAtOnce(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(release(healthy("v1"), migration("v1", ""))...)
		w.ends(reconcile.Applied)
		defer w.background()()
		later(time.Second)
		w.repo.shop(release(never("v2"), migration("v2", ""))...)
		later(50 * time.Second)
		w.runs2("web") // the new one is still awaited
		rec := w.record()
		if rec.Attempt == nil || len(rec.Done) != 2 || !slices.Equal(rec.Attempt.Ran, []string{"migrate"}) {
			t.Errorf("done are %v, the attempt is %+v: want both migrations, and the attempt's own", rec.Done, rec.Attempt)
		}
	})
}
