package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// refusing lets the target refuse to put an object, until the returned function is
// called.
func (w *world) refusing(name string) (obey func()) {
	w.target.OnCall(func(c applytest.Call) error {
		if c.Verb == "put" && c.Key == key(name) {
			return errors.New("refused by a webhook")
		}
		return nil
	})
	return func() { w.target.OnCall(nil) }
}

// cutAfterPut makes a pass that the agent's end cuts short once something is put.
func (w *world) cutAfterPut() {
	w.t.Helper()
	ctx, kill := context.WithCancel(w.t.Context())
	defer kill()
	w.target.OnCall(func(c applytest.Call) error {
		if c.Verb == "put" {
			kill()
		}
		return nil
	})
	defer w.target.OnCall(nil)
	if _, err := w.agent.Sync(ctx, reconcile.SyncRequest{Apps: []string{"shop"}}, nil); err != nil && !errors.Is(err, context.Canceled) {
		w.t.Fatal(err)
	}
}

// sixty are the containers c000 to c059.
func sixty() []resource.Object { return numbered(60) }

// numbered are as many containers, from c000 on.
func numbered(n int) (all []resource.Object) {
	for i := range n {
		all = append(all, one(fmt.Sprintf("c%03d", i), `"image":"v1"`))
	}
	return all
}

// What joins while a repair fails is told: only what that repair has touched is no news.
func TestWhatJoinsWhileARepairFailsIsTold(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"), one("db", `"image":"v1"`))
		w.ends(reconcile.Applied)
		defer w.refusing("web")()
		w.target.Vanish(key("web"))
		w.ends(reconcile.Degraded)
		w.target.Vanish(key("db"))
		w.ends(reconcile.Degraded)
		w.ends(reconcile.Degraded)
		w.tells("opened shop#1 container/web/1 missing", "changed shop#1 container/db/1 missing and 1 more")
	})
}

// A repair that was cut short counts as one as far as it went; one that failed does not.
func TestRepairThatWasCutShortCounts(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		for n := range 3 {
			w.target.Rename(key("web"), "by-hand")
			w.cutAfterPut()
			w.restart()
			w.ends(reconcile.Unchanged)
			if got := w.record().Mended.Times()[state.TraceOf(key("web"), "name")]; got != n+1 {
				t.Fatalf("%d repairs are known after %d", got, n+1)
			}
		}
		obey := w.refusing("web")
		w.target.Vanish(key("web"))
		w.ends(reconcile.Degraded)
		w.restart()
		w.ends(reconcile.Degraded)
		obey()
		w.ends(reconcile.Applied)
		if got := w.record().Mended.Times()[state.TraceOf(key("web"), "")]; got != 1 {
			t.Errorf("%d repairs are known after two that failed, and one that did not", got)
		}
	})
}

// Of more objects than have details on record, each is told once: when it joins, and
// not when it comes back, or gets room for its details.
func TestEachOfManyObjectsIsToldOnceAsItJoins(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.drifting(sixty()...)
		defer w.background()()
		later(time.Minute)
		for i := range 55 {
			w.target.Rename(key(fmt.Sprintf("c%03d", i)), "by-hand")
		}
		w.look()
		if got := w.lines("drift"); len(got) != 1 {
			t.Fatalf("told was %q", got)
		}
		w.target.Rename(key("c000"), "c000-1") // another one gets its room
		w.look()
		w.target.Rename(key("c000"), "by-hand") // and it comes back
		w.look()
		for range 30 {
			w.target.Rename(key("c001"), "c001-1")
			w.look()
			w.target.Rename(key("c001"), "by-hand")
			w.look()
		}
		if got := w.lines("drift"); len(got) != 1 {
			t.Fatalf("what came back was told as %q", got[1:])
		}
		w.target.Vanish(key("c059"))
		w.look()
		all, err := w.store.History("shop", 1)
		w.must(err)
		if e := all[0]; e.Outcome != "changed" || !slices.Equal(e.Findings, []string{"container/c059/1 missing"}) {
			t.Errorf("the one more is told as %s %q", e.Outcome, e.Findings)
		}
		if i := w.status().Incident; i == nil || i.Objects() != 56 || i.Traces != nil {
			t.Errorf("it stands as %+v", i)
		}
	})
}

// Something fights for every object, of however many: each is left alone, also those that
// have no details on record, and what begins at once is told at once.
func TestFightOverManyObjectsIsOverEach(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		const objects = 210
		w.repo.shop(numbered(objects)...)
		w.ends(reconcile.Applied)
		defer w.background()()
		for range 5 {
			for i := range objects {
				w.target.Rename(key(fmt.Sprintf("c%03d", i)), "by-hand")
			}
			w.look()
		}
		told := func() (fights []state.Entry) {
			return slices.DeleteFunc(w.ofDrift(), func(e state.Entry) bool { return e.Outcome != "fight" })
		}
		if f := told(); len(f) != 1 || len(f[0].Findings)+f[0].More != objects || !strings.HasSuffix(f[0].Reason, "and 209 objects more") {
			t.Errorf("the fights are told as %+v", f)
		}
		if puts := w.target.Count("put"); puts != 4*objects {
			t.Errorf("%d puts were made, want one and three repairs of each", puts)
		}
		later(time.Hour)
		w.agent.Look()
		later(time.Minute)
		if again := told(); len(again) != 1 {
			t.Errorf("an hour later %d lines are told", len(again))
		}
		if s := w.status(); s.Outcome != reconcile.Degraded || s.Incident == nil || s.Incident.Objects() != objects || len(s.Reason) > 2000 {
			t.Errorf("it is %s, because %s", s.Outcome, s.Reason)
		}
	})
}

// The grace of each object counts from when it was seen first, also of those that have
// no details on record.
func TestGraceOfManyObjectsCountsFromEachOnesBegin(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		grace := config.Duration(10 * time.Minute)
		w.shopWith(config.Drift{Grace: &grace}, sixty()...)
		w.ends(reconcile.Applied)
		defer w.background()()
		later(time.Minute)
		for i := range 55 {
			w.target.Vanish(key(fmt.Sprintf("c%03d", i)))
		}
		w.look()
		later(7 * time.Minute)
		w.target.Vanish(key("c059"))
		w.look()
		later(5 * time.Minute)
		if got := len(w.target.Instances(key("c000"))); got != 1 {
			t.Fatal("what is old enough is not repaired")
		}
		if got := len(w.target.Instances(key("c059"))); got != 0 {
			t.Error("what is five minutes old is repaired")
		}
		if k := w.known(); k.Drift["missing"] != 1 {
			t.Errorf("meanwhile it knows of drift %v", k.Drift)
		}
	})
}

// Who owned an app hears of its end, too.
func TestTheOwnerOfAnAppThatIsGoneIsNamed(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.drifting()
		w.target.Rename(key("web"), "by-hand")
		stop := w.background()
		w.look()
		stop()
		w.repo.merge(map[string]appFiles{})
		w.restart()
		w.ends(reconcile.Blocked)
		w.act("approve", reconcile.ActRequest{Plan: w.status().Plan})
		all, err := w.store.Since(0, 0)
		w.must(err)
		for _, e := range all {
			if e.Kind != "approve" && e.Owner != "team-shop" {
				t.Errorf("%s %s %q names %q", e.Kind, e.Outcome, e.Reason, e.Owner)
			}
		}
		if e := all[len(all)-1]; e.Outcome != "applied" || !strings.Contains(e.Reason, "removed with consent") {
			t.Errorf("its end is told as %s: %s", e.Outcome, e.Reason)
		}
	})
}
