package reconcile_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// whole is the status of the host.
func (w *world) whole() reconcile.Status {
	w.t.Helper()
	st, err := w.agent.Status(w.t.Context(), nil)
	w.must(err)
	return st
}

func (w *world) explained() reconcile.Explanation {
	w.t.Helper()
	e, err := w.agent.Explain(w.t.Context(), "shop")
	w.must(err)
	return e
}

func (e said) has(words ...string) bool {
	return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(string(e), word) })
}

// said is a text that a person reads.
type said string

func linesOf(e reconcile.Explanation) said { return said(strings.Join(e.Lines, "\n")) }

func readOnly(o *reconcile.Options) { o.ReadOnly = true }

func TestReadOnlyStatusSaysWhatWouldChange(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.restart(readOnly)
		defer w.background()()
		later(time.Minute)
		st := w.whole()
		s := st.Apps[0]
		if !st.ReadOnly || s.Status != reconcile.OutOfSync || !said(s.Reason).has("would change", "container/web/1", "read-only") || !said(s.Hint).has("syncd plan shop") {
			t.Errorf("read-only %t: the app is %s, because %q, hint %q", st.ReadOnly, s.Status, s.Reason, s.Hint)
		}
		if s.Since.IsZero() || time.Since(s.Since) > time.Minute {
			t.Errorf("it is so since %s", s.Since)
		}
		e := w.explained()
		if !linesOf(e).has("read-only", "container/web/1") || !slices.Equal(e.Type, []string{"syncd plan shop"}) {
			t.Errorf("explained as %+v", e)
		}
		w.repo.shop(healthy("v2"))
		later(time.Minute)
		if again := w.status(); !said(again.Reason).has("read-only") {
			t.Errorf("after another commit it is %+v", again)
		}
	})
}

func TestReadOnlyAgentThatIsCutShortLeavesNoTrace(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.restart(readOnly)
		ctx, cancel := context.WithCancel(t.Context())
		w.target.OnCall(func(applytest.Call) error { cancel(); return nil })
		if _, err := w.agent.Sync(ctx, reconcile.SyncRequest{}, nil); err != nil {
			t.Fatal(err)
		}
		if rec := w.record(); rec.Attempt != nil {
			t.Errorf("it wrote the attempt %+v", rec.Attempt)
		}
	})
}

func TestBeforeTheFirstPassStatusSaysSo(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		if s := w.whole().Apps[0]; s.Status != reconcile.OutOfSync || !said(s.Reason).has("nothing of it has been applied") || !said(s.Hint).has("syncd plan shop") {
			t.Errorf("the app is %s, because %q, hint %q", s.Status, s.Reason, s.Hint)
		}
	})
}

func TestEngineOutageIsSaid(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.target.Unreachable(time.Now(), time.Now().Add(time.Hour))
		if st := w.whole(); st.EngineError == "" || !st.EngineSince.IsZero() || st.Apps[0].Status != reconcile.Unknown || st.Apps[0].Health != reconcile.Unknown {
			t.Errorf("before any pass has found it: %+v", st)
		}
		w.ends(reconcile.Unreachable)
		found := time.Now()
		later(time.Minute)
		w.ends(reconcile.Unreachable)
		if st := w.whole(); !st.EngineSince.Equal(found) {
			t.Errorf("the engine is away since %s, want %s", st.EngineSince, found)
		}
		e := w.explained()
		if !linesOf(e).has("The engine does not answer, since "+found.Format("2006-01-02 15:04:05"), "goes on when it answers") || e.Actor != "an operator" {
			t.Errorf("explained as %+v", e)
		}
		if !slices.Contains(e.Type, "systemctl status docker") || !slices.Contains(e.Type, "syncd check") {
			t.Errorf("to type: %q", e.Type)
		}
		later(time.Hour)
		if st := w.whole(); st.EngineError != "" || st.Apps[0].Health != reconcile.Healthy {
			t.Errorf("afterwards: %+v", st)
		}
	})
}

// pinged is an engine that can be asked for a sign of life.
type pinged struct {
	*world
	err error
}

func (p *pinged) Ping(context.Context) error { return p.err }

func TestEngineOutageInTheMiddleOfARolloutIsSaid(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		engine := &pinged{world: w}
		w.restart(func(o *reconcile.Options) { o.Engine = engine })
		w.repo.shop(one("web", `"health":"slow:50s","image":"v1"`))
		defer w.background()()
		later(10 * time.Second)
		if s := w.status(); s.Status != reconcile.Progressing || w.explained().Actor != "nobody" {
			t.Fatalf("the app is %s, want Progressing", s.Status)
		}
		engine.err = fault.Hint(fault.As(fault.Unreachable, errors.New("reach the Docker engine: no answer")), "start it")
		st, e := w.whole(), w.explained()
		if st.Apps[0].Status != reconcile.Unknown || !said(st.EngineError).has("no answer") || st.EngineHint != "start it" {
			t.Errorf("the status is %+v", st)
		}
		if e.Actor != "an operator" || !linesOf(e).has("The engine does not answer: reach the Docker engine: no answer.", "What helps: start it.") {
			t.Errorf("explained as %+v", e)
		}
		engine.err = nil
	})
}

func TestWithoutAnEngineStatusSaysSo(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.restart(func(o *reconcile.Options) { o.Engine = nil })
		if st := w.whole(); st.EngineError == "" || st.EngineHint == "" || st.Apps[0].Status != reconcile.Unknown {
			t.Errorf("the status is %+v", st)
		}
	})
}

// What is nobody's business of ours stands in nobody's way.
func TestForeignContainerInNobodysWayIsANote(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		no := false
		app := appFiles{objects: []resource.Object{healthy("v1")}}
		app.config.Sync.Prune = &no
		w.repo.merge(map[string]appFiles{"shop": app})
		w.ends(reconcile.Applied)
		_, err := w.target.Plant(one("other", `"image":"x"`))
		w.must(err)
		res := w.ends(reconcile.Unchanged)
		s := w.status()
		if s.Status != reconcile.Synced || s.Health != reconcile.Healthy || len(s.Drift) != 0 {
			t.Errorf("the app is %s and %s with drift %q, want Synced and Healthy", s.Status, s.Health, s.Drift)
		}
		want := "container/other/1 is left alone"
		if len(s.Notes) != 1 || !said(s.Notes[0]).has(want) || len(res.Plan.Notes) != 1 || res.Plan.Notes[0] != s.Notes[0] {
			t.Errorf("status notes %q, the pass %q: want %s from both", s.Notes, res.Plan.Notes, want)
		}
		if e := w.explained(); e.Actor != "nobody" || !linesOf(e).has(want) {
			t.Errorf("explained as %+v", e)
		}
		w.target.Vanish(key("web"))
		if res := w.ends(reconcile.Applied); !said(res.Reason).has("container/web/1") || said(res.Reason).has("other") || said(res.Reason).has("more") {
			t.Errorf("it repaired %q", res.Reason)
		}
	})
}

func TestForeignContainerInOurPlaceBlocks(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		_, err := w.target.Plant(healthy("v1"))
		w.must(err)
		w.ends(reconcile.Blocked)
		if s := w.status(); s.Status != reconcile.WBlocked {
			t.Errorf("the app is %s, want Blocked", s.Status)
		}
	})
}

func TestRemovedAppIsNamedOnce(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		blog := map[string]appFiles{"blog": {objects: []resource.Object{one("blog", `"image":"v1"`)}}}
		w.repo.merge(map[string]appFiles{"shop": {objects: []resource.Object{healthy("v1")}}, "blog": blog["blog"]})
		w.ends(reconcile.Applied)
		w.repo.merge(blog)
		w.ends(reconcile.Blocked)
		if res := w.act("approve", reconcile.ActRequest{Plan: w.status().Plan}); res.Result.Outcome != reconcile.Applied {
			t.Fatalf("the removal ended %s", res.Result.Outcome)
		}
		results, err := w.agent.Sync(t.Context(), reconcile.SyncRequest{}, nil)
		w.must(err)
		previews, err := w.agent.Plan(t.Context(), reconcile.PlanRequest{})
		w.must(err)
		if len(results) != 1 || results[0].App != "blog" || len(previews) != 1 || previews[0].App != "blog" || len(w.whole().Apps) != 1 {
			t.Errorf("sync names %v, plan %v, status %v", results, previews, w.whole().Apps)
		}
		history, err := w.agent.History(t.Context(), "shop", 0)
		w.must(err)
		if len(history) == 0 {
			t.Error("its history is gone")
		}
		w.repo.shop(healthy("v2"))
		w.ends(reconcile.Applied)
	})
}
