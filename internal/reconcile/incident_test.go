package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// lines are those of history of the shop that are of a kind, the oldest first, as
// OUTCOME INCIDENT REASON.
func (w *world) lines(kind string) []string {
	w.t.Helper()
	all, err := w.store.Since(0, 0)
	w.must(err)
	var out []string
	for _, e := range all {
		if e.App == "shop" && e.Kind == kind {
			out = append(out, strings.TrimSpace(e.Outcome+" "+e.Incident+" "+e.Reason))
		}
	}
	return out
}

// tells fails the test unless that is what was told of drift.
func (w *world) tells(want ...string) {
	w.t.Helper()
	if got := w.lines("drift"); !slices.Equal(got, want) {
		w.t.Fatalf("told was\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// drifting deploys v1 without selfHeal.
func (w *world) drifting(objects ...resource.Object) {
	w.t.Helper()
	no := false
	app := appFiles{objects: append(objects, healthy("v1"))}
	app.config.Sync.SelfHeal = &no
	app.config.Owner = "team-shop"
	w.repo.merge(map[string]appFiles{"shop": app})
	w.ends(reconcile.Applied)
}

// look lets the running agent look at the shop.
func (w *world) look() {
	w.t.Helper()
	w.agent.Look()
	later(time.Minute)
}

func TestDriftIsOneIncidentFromItsBeginToItsEnd(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.drifting()
		defer w.background()()
		later(time.Minute)
		w.target.Rename(key("web"), "by-hand")
		w.look()
		w.look()
		opened := "opened shop#1 container/web/1 modified name: by-hand -> web-1"
		w.tells(opened)
		w.target.Edit(key("web"), `{"image":"v1","pin":"sha256:v1","size":"large"}`)
		w.look()
		changed := "changed shop#1 container/web/1 modified name: by-hand -> web-1"
		w.tells(opened, changed)
		later(time.Hour)
		w.target.Rename(key("web"), "web-1")
		w.target.Edit(key("web"), `{"image":"v1","pin":"sha256:v1"}`)
		w.look()
		w.tells(opened, changed, "resolved shop#1 it went back by itself")
		all, err := w.store.History("shop", 1)
		w.must(err)
		if e := all[0]; e.Duration.D() < time.Hour || e.Duration.D() > 2*time.Hour || e.Owner != "team-shop" || len(e.Findings) != 2 || e.Revision.Commit != commitName(0) {
			t.Errorf("the end is told as %+v", e)
		}
		if rec := w.record(); rec.Incident != nil {
			t.Errorf("on record is %+v still", rec.Incident)
		}
		w.target.Vanish(key("web"))
		w.look()
		if got := w.lines("drift"); len(got) != 4 || got[3] != "opened shop#2 container/web/1 missing" {
			t.Errorf("the next one is told as %v", got)
		}
	})
}

// What is found and repaired in one pass is told as one incident, with what was done.
func TestDriftThatIsRepairedAtOnceIsOpenedAndResolved(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		d := w.far(1000)
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.target.Vanish(key("web"))
		d.left.Store(1000)
		w.ends(reconcile.Applied)
		if n := 1000 - d.left.Load(); n != 2 {
			t.Errorf("it cost %d writes, want one before anything is touched, and that of the verdict", n)
		}
		w.tells("opened shop#1 container/web/1 missing", "resolved shop#1 repaired by syncd")
		if repairs := w.lines("repair"); len(repairs) != 1 {
			t.Errorf("the repair is told as %v", repairs)
		}
		all, err := w.store.Since(0, 0)
		w.must(err)
		last := all[len(all)-1]
		for _, e := range all {
			if e.Outcome == "resolved" {
				last = e
			}
		}
		if len(last.Steps) == 0 || !strings.Contains(last.Steps[0], "put") {
			t.Errorf("what was done is told as %v", last.Steps)
		}
		d.left.Store(0)
		w.ends(reconcile.Unchanged)
	})
}

// That drift is there still, and was seen again, is no news.
func TestDriftThatLastsIsNotWrittenAgain(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.drifting()
		stop := w.background()
		w.target.Vanish(key("web"))
		w.look()
		stop()
		d := w.far(0)
		defer w.background()()
		later(3 * time.Hour)
		w.look()
		if n := d.left.Load(); n != 0 {
			t.Errorf("%d writes were tried", -n)
		}
		w.tells("opened shop#1 container/web/1 missing")
	})
}

func TestChangesOfSyncdItselfAreNoDrift(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		no := false
		app := appFiles{objects: []resource.Object{healthy("v1"), volume("old")}}
		w.repo.merge(map[string]appFiles{"shop": app})
		defer w.background()()
		later(time.Minute)
		app.objects = []resource.Object{healthy("v2")} // the volume waits for consent
		w.repo.merge(map[string]appFiles{"shop": app})
		later(time.Minute)
		app.objects, app.config.Sync.Prune = []resource.Object{healthy("v3"), one("log", `"image":"v1"`)}, &no
		w.repo.merge(map[string]appFiles{"shop": app})
		later(time.Minute)
		app.objects = []resource.Object{healthy("v4")} // the log is left there
		w.repo.merge(map[string]appFiles{"shop": app})
		later(time.Minute)
		app.objects = []resource.Object{never("v5"), volume("new")}
		w.repo.merge(map[string]appFiles{"shop": app})
		later(5 * time.Minute)
		w.look()
		w.tells()
		if w.status().Status != reconcile.WRolledBack {
			t.Errorf("the last change ended %s", w.status().Status)
		}
		if got := w.lines("sync"); len(got) < 10 || !strings.HasPrefix(got[0], "started") {
			t.Errorf("the changes are told as %q", got)
		}
		w.target.Vanish(key("log")) // what is left over may go
		w.look()
		w.tells()
	})
}

// A repair is on record before it begins: it is told once, wherever the agent is
// killed, and what it leaves half done is nobody else's.
func TestDriftIsToldOnceWhereverTheAgentIsKilled(t *testing.T) {
	for _, early := range []bool{true, false} {
		for n, reached := 1, true; reached; n++ {
			t.Run(fmt.Sprintf("killed at change %d, early %t", n, early), func(t *testing.T) {
				within(t, func(t *testing.T, w *world) {
					w.repo.shop(append(service("web", 2, `"image":"v1"`), one("db", `"image":"v1"`))...)
					w.ends(reconcile.Applied)
					w.target.Edit(key("db"), `{"image":"other","pin":"sha256:other"}`)
					reached = w.crashAt(n, early)
					w.restart()
					w.pass()
					w.ends(reconcile.Unchanged)
					w.tells("opened shop#1 container/db/1 modified image: other -> v1", "resolved shop#1 repaired by syncd")
				})
			})
		}
	}
}

// A revision that makes it so ends the incident, too.
func TestRevisionEndsDrift(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.drifting()
		defer w.background()()
		w.target.Rename(key("web"), "by-hand")
		w.look()
		w.repo.shop(healthy("v2"))
		w.look()
		w.tells("opened shop#1 container/web/1 modified name: by-hand -> web-1", "resolved shop#1 revision 0000000000 made an end of it")
	})
}

// An autoscaler wants another number each time.
func TestAFightOverAValueThatMovesIsInTheHistoryOnce(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		defer w.background()()
		for n := range 20 {
			w.target.Edit(key("web"), fmt.Sprintf(`{"image":"v1","pin":"sha256:v1","size":"s%d"}`, n))
			w.look()
		}
		w.degraded(1)
		w.target.Edit(key("web"), `{"image":"v1","pin":"sha256:v1","size":"s20","colour":"red"}`)
		w.look()
		w.degraded(2) // a field has joined
	})
}

// Another controller changes one object back each time: it is named, that object is
// left to it, and all else is repaired as ever.
func TestFightIsToldOnceAndStopsForThatObjectAlone(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.wrap = func(m *applytest.Memory) apply.Target { return blaming{m} }
		w.restart()
		w.repo.shop(healthy("v1"), one("db", `"image":"v1"`))
		w.ends(reconcile.Applied)
		defer w.background()()
		for range 10 {
			w.target.Rename(key("web"), "somebody-elses-name")
			w.look()
		}
		var fights []string
		for _, line := range w.lines("drift") {
			if strings.HasPrefix(line, "fight") {
				fights = append(fights, line)
			}
		}
		if want := []string{"fight shop#4 argocd changes container/web/1 name back each time it is repaired"}; !slices.Equal(fights, want) {
			t.Fatalf("of the fight was told %q, want %q", fights, want)
		}
		if s := w.status(); s.Outcome != reconcile.Degraded || !strings.Contains(s.Reason, "does not converge") || !strings.Contains(s.Reason, "argocd") {
			t.Errorf("it is %s: %s", s.Outcome, s.Reason)
		}
		e, err := w.agent.Explain(t.Context(), "shop")
		w.must(err)
		if text := strings.Join(e.Lines, "\n"); !strings.Contains(text, "argocd changes container/web/1 back each time") || !strings.Contains(text, "syncd retry shop") {
			t.Errorf("it is explained as\n%s", text)
		}
		w.target.Vanish(key("db"))
		w.look()
		if len(w.target.Instances(key("db"))) != 1 {
			t.Error("all else is not repaired any more")
		}
		later(time.Hour) // it stays so
		w.agent.Look()
		later(time.Minute)
		if w.target.Instances(key("web"))[0].Running && len(w.lines("drift")) == 0 {
			t.Error("nothing is told")
		}
		w.act("retry", reconcile.ActRequest{})
		w.ends(reconcile.Unchanged)
	})
}

// blaming is a target that knows who changes things.
type blaming struct{ *applytest.Memory }

func (b blaming) Observe(ctx context.Context, want []resource.Object, owned apply.Owned) ([]resource.Pair, error) {
	pairs, err := b.Memory.Observe(ctx, want, owned)
	for i := range pairs {
		pairs[i].By = "argocd"
	}
	return pairs, err
}

func TestMuchDriftIsBounded(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		var all []resource.Object
		for i := range 300 {
			all = append(all, one(fmt.Sprintf("c%03d", i), `"image":"v1"`))
		}
		w.drifting(all...)
		defer w.background()()
		later(time.Minute)
		for i := range 300 {
			w.target.Vanish(key(fmt.Sprintf("c%03d", i)))
		}
		w.look()
		rec := w.record()
		if rec.Incident == nil || len(rec.Incident.Findings) != 50 || rec.Incident.Objects() != 300 {
			t.Fatalf("on record is %+v", rec.Incident)
		}
		entries, err := w.store.History("shop", 1)
		w.must(err)
		if e := entries[0]; len(e.Findings) != 20 || e.More != 280 {
			t.Errorf("%d lines are told, and %d objects more", len(e.Findings), e.More)
		}
	})
}

// What status says of drift is what is there now, since when it has been known.
func TestStatusSaysWhatDiffersNowAndSinceWhen(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.drifting(one("db", `"image":"v1"`))
		stop := w.background()
		later(time.Minute)
		w.target.Vanish(key("web"))
		w.look()
		begun := time.Now()
		later(time.Hour)
		stop()
		w.target.Vanish(key("db")) // nobody has looked since
		i := w.status().Incident
		if i == nil || i.ID != "shop#1" || len(i.Findings) != 2 || i.Opened.After(begun) || !i.Findings[1].First.After(begun) || i.Seen.Sub(begun) < time.Hour {
			t.Fatalf("it says %+v", i)
		}
		if rec := w.record(); len(rec.Incident.Findings) != 1 {
			t.Error("a question has changed the record")
		}
		e, err := w.agent.Explain(t.Context(), "shop")
		w.must(err)
		if text := strings.Join(e.Lines, "\n"); !strings.Contains(text, "It differs from revision 0000000000 since 2000-01-01") || !strings.Contains(text, "2 object(s)") {
			t.Errorf("it is explained as\n%s", text)
		}
		w.ends(reconcile.Applied) // a person asks
		if i := w.status().Incident; i != nil {
			t.Errorf("after the repair it says %+v", i)
		}
	})
}

// What could not be repaired was not changed back by anybody: it is tried again, in
// pauses that grow, and is no fight.
func TestRepairThatFailsIsNoFight(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		var down atomic.Bool
		down.Store(true)
		w.target.OnCall(func(c applytest.Call) error {
			if c.Verb == "put" && down.Load() {
				return fault.As(fault.Rejected, errors.New("the daemon is ending"))
			}
			return nil
		})
		defer w.background()()
		later(time.Minute)
		w.target.Kill(key("web"))
		w.look()
		later(20 * time.Minute)
		if s := w.status(); s.Outcome != reconcile.Degraded || !strings.Contains(s.Reason, "repair failed") {
			t.Errorf("it is %s: %s", s.Outcome, s.Reason)
		}
		down.Store(false)
		later(2 * time.Minute)
		w.runs("web", "v1")
		if got := w.lines("drift"); len(got) != 2 || !strings.HasPrefix(got[1], "resolved") {
			t.Errorf("it is told as %q", got)
		}
		w.target.OnCall(nil)
	})
}

// A repair that is cut short counts as one, also where one before it did not go through.
func TestRepairThatIsCutShortCountsAlsoAfterOneThatFailed(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.target.Kill(key("web"))
		w.target.OnCall(func(c applytest.Call) error {
			if c.Verb == "put" {
				return fault.As(fault.Rejected, errors.New("the daemon is ending"))
			}
			return nil
		})
		w.ends(reconcile.Degraded)
		w.crashAfter("put")
		w.restart()
		w.ends(reconcile.Unchanged)
		if n := len(w.record().Mended); n != 1 {
			t.Errorf("%d repairs count, want the one that was cut short", n)
		}
	})
}
