package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// takenOver lets the target answer as it does once another agent has the shop;
// false ends it.
func (w *world) takenOver(is bool) {
	if !is {
		w.target.OnCall(nil)
		return
	}
	w.target.OnCall(func(c applytest.Call) error {
		if c.Verb == "health" || c.Verb == "pin" {
			return nil
		}
		return fault.Hint(fault.As(fault.Blocked, fmt.Errorf("%w: by b", apply.ErrTaken)), "syncd adopt shop")
	})
}

func TestTakenOverAppIsBlockedAndLeftAlone(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.takenOver(true)
		w.target.Forget()
		if s := w.status(); s.Status != reconcile.WBlocked || !strings.Contains(s.Reason, "another syncd agent: by b") || s.Hint != "syncd adopt shop" {
			t.Errorf("before any pass the status is %s (%s; %s), want Blocked with the reason and the way out", s.Status, s.Reason, s.Hint)
		}
		w.repo.shop(healthy("v2"))
		for range 2 {
			res := w.ends(reconcile.Blocked)
			if !strings.Contains(res.Reason, "another syncd agent: by b") || res.Hint != "syncd adopt shop" {
				t.Errorf("the reason is %q, the hint %q", res.Reason, res.Hint)
			}
		}
		previews, err := w.agent.Plan(t.Context(), reconcile.PlanRequest{})
		w.must(err)
		if p := previews[0]; p.Outcome != reconcile.Blocked || p.Hint != "syncd adopt shop" || !p.Plan.Empty() {
			t.Errorf("the plan is %s (%s) and does %s", p.Outcome, p.Hint, p.Plan)
		}
		if n := w.target.Changes(); n != 0 {
			t.Errorf("the target was changed %d times", n)
		}
		if rec := w.record(); len(rec.Quarantine) != 0 || rec.Good == nil {
			t.Errorf("quarantine is %v, good %v: nothing went wrong", rec.Quarantine, rec.Good)
		}
		w.takenOver(false)
		w.ends(reconcile.Applied)
		w.runs("web", "v2")
	})
}

// A rollback that nobody could carry out is not carried out later, when the
// app has come back.
func TestRollbackOfATakenOverAppIsVoid(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.shop(healthy("v2"))
		w.ends(reconcile.Applied)
		w.takenOver(true)
		if res := w.act("rollback", reconcile.ActRequest{}).Result; res.Outcome != reconcile.Blocked {
			t.Errorf("the rollback ended %s (%s), want blocked", res.Outcome, res.Reason)
		}
		w.takenOver(false)
		w.ends(reconcile.Unchanged)
		w.runs("web", "v2")
		if rec := w.record(); rec.Halted != "" || rec.Held != nil {
			t.Errorf("it is halted %q, held %v", rec.Halted, rec.Held)
		}
	})
}

// A way back that was cut short does not keep an app whose engine's other agent took it
// over, and whatever else stands in its way does not end it.
func TestAWayBackOfATakenOverAppIsVoid(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.shop(dying("v2"))
		failed := false // its last words are read then
		w.target.OnCall(func(c applytest.Call) error {
			failed = failed || c.Verb == "logs"
			if c.Verb == "put" && failed {
				return fault.As(fault.Unreachable, errors.New("the engine is away"))
			}
			return nil
		})
		w.ends(reconcile.Unreachable)
		w.target.OnCall(func(c applytest.Call) error {
			if c.Verb == "observe" {
				return fault.As(fault.Blocked, errors.New("no login"))
			}
			return nil
		})
		w.ends(reconcile.Blocked)
		if a := w.record().Attempt; a == nil || !a.Back {
			t.Fatalf("the attempt is %+v, want the way back", a)
		}
		w.takenOver(true)
		w.ends(reconcile.Blocked)
		w.repo.merge(map[string]appFiles{})
		w.ends(reconcile.Unchanged)
		all, err := w.agent.Status(t.Context(), nil)
		w.must(err)
		if len(all.Apps) != 0 {
			t.Errorf("status lists %+v", all.Apps)
		}
	})
}

func TestTakenOverAppThatVanishesIsLetGo(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.merge(map[string]appFiles{})
		w.takenOver(true)
		w.target.Forget()
		if res := w.ends(reconcile.Unchanged); !strings.Contains(res.Reason, "another syncd agent: by b") {
			t.Errorf("the reason is %q", res.Reason)
		}
		if n := w.target.Changes(); n != 0 {
			t.Errorf("the target was changed %d times", n)
		}
		all, err := w.agent.Status(t.Context(), nil)
		w.must(err)
		if len(all.Apps) != 0 {
			t.Errorf("status lists %+v", all.Apps)
		}
	})
}

// neighbours is an engine that other agents work on, too.
type neighbours struct {
	*world
	origin apply.Origin
	told   []string
}

// amongOthers lets the agent work on such an engine.
func (w *world) amongOthers() *neighbours {
	n := &neighbours{world: w}
	w.restart(func(o *reconcile.Options) { o.Engine = n })
	return n
}

// theirShop is an instance of the shop that somebody else made; the agent leaves
// it alone.
func (n *neighbours) theirShop() resource.Ref {
	n.repo.shop(healthy("v1"))
	ref, err := n.target.Plant(healthy("v1"))
	n.must(err)
	n.ends(reconcile.Blocked)
	return ref
}

func (n *neighbours) Origin(context.Context, string) (apply.Origin, error) { return n.origin, nil }

func (n *neighbours) TakeOver(_ context.Context, app string) error {
	n.told = append(n.told, "take over "+app)
	return nil
}

func (n *neighbours) HandBack(_ context.Context, app string) error {
	n.told = append(n.told, "hand back "+app)
	return nil
}

func TestAdoptWarnsOfAnotherAgentAndTellsIt(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		n := w.amongOthers()
		ref := n.theirShop()

		n.origin = apply.Origin{Refs: []resource.Ref{ref}, Agents: []string{"a1"}, Mark: resource.Ref{ID: "mark"}}
		text := w.act("adopt", reconcile.ActRequest{}).Text
		if !strings.Contains(text, "another syncd agent (state directory ID a1)") || !strings.Contains(text, "stop it first") {
			t.Errorf("adopt says beforehand %q", text)
		}
		if len(n.told) != 0 || len(w.record().Adopted) != 0 {
			t.Errorf("asking told %q and adopted %v", n.told, w.record().Adopted)
		}
		w.act("adopt", reconcile.ActRequest{Confirm: true})
		if got := w.record().Adopted; !slices.Equal(got, []resource.Ref{ref}) {
			t.Errorf("adopted are %v, want the instance and no mark", got)
		}

		n.origin = apply.Origin{Agents: []string{"a1"}, Held: true}
		if text := w.act("release", reconcile.ActRequest{}).Text; !strings.Contains(text, "(state directory ID a1) made of it is that one's again") {
			t.Errorf("release says beforehand %q", text)
		}
		w.act("release", reconcile.ActRequest{Confirm: true})
		if want := []string{"take over shop", "hand back shop"}; !slices.Equal(n.told, want) {
			t.Errorf("told %q, want %q", n.told, want)
		}
	})
}

func TestAdoptOfComposeWarnsOfNobody(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		n := w.amongOthers()
		ref := n.theirShop()
		n.origin = apply.Origin{Refs: []resource.Ref{ref}, Mark: resource.Ref{ID: "mark"}}
		if text := w.act("adopt", reconcile.ActRequest{}).Text; strings.Contains(text, "another") {
			t.Errorf("adopt says beforehand %q", text)
		}
	})
}

// A yes is for what was shown: a commit that came meanwhile needs another one.
func TestAdoptDoesWhatItShowed(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		n := w.amongOthers()
		ref := n.theirShop()
		n.origin = apply.Origin{Refs: []resource.Ref{ref}}
		shown := w.act("adopt", reconcile.ActRequest{}).Preview.Digest
		w.repo.shop(healthy("v2"))
		_, err := w.agent.Act(t.Context(), "adopt", reconcile.ActRequest{App: "shop", Confirm: true, Plan: shown}, nil)
		if fault.Of(err) != fault.Rejected || !strings.Contains(fault.Advice(err), "syncd adopt shop") {
			t.Errorf("got %v (%s), want it refused", err, fault.Advice(err))
		}
		w.runs("web", "v1")
		shown = w.act("adopt", reconcile.ActRequest{}).Preview.Digest
		w.act("adopt", reconcile.ActRequest{Confirm: true, Plan: shown})
		w.runs("web", "v2")
	})
}

func TestRemovedAppIsHandedBack(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		n := w.amongOthers()
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.merge(map[string]appFiles{})
		w.ends(reconcile.Blocked)
		if len(n.told) != 0 {
			t.Errorf("without consent it told %q", n.told)
		}
		w.act("approve", reconcile.ActRequest{Plan: w.status().Plan})
		if want := []string{"hand back shop"}; !slices.Equal(n.told, want) {
			t.Errorf("told %q, want %q", n.told, want)
		}
	})
}

// Somebody who runs a Compose project with data beside its file is told what
// takes it over, and not to write down where the data is.
func TestAdoptionIsNamedWhereOnlyTheDirectoryIsMissing(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		n := w.amongOthers()
		w.repo.merge(map[string]appFiles{"shop": {objects: []resource.Object{healthy("v1")}, homeless: true}})
		if res := w.ends(reconcile.Blocked); res.Hint != "set hostDir" {
			t.Errorf("the hint is %q, with nothing to take over", res.Hint)
		}
		ref, err := w.target.Plant(healthy("v1"))
		w.must(err)
		n.origin = apply.Origin{Dir: "/srv/shop", Refs: []resource.Ref{ref}}
		previews, err := w.agent.Plan(t.Context(), reconcile.PlanRequest{})
		w.must(err)
		for where, hint := range map[string]string{"the pass": w.ends(reconcile.Blocked).Hint, "the plan": previews[0].Hint} {
			if !strings.Contains(hint, "syncd adopt shop") || !strings.Contains(hint, "/srv/shop") {
				t.Errorf("%s gives the hint %q", where, hint)
			}
		}
		w.act("adopt", reconcile.ActRequest{Confirm: true})
		w.runs("web", "v1")
		if dir := w.record().HostDir; dir != "/srv/shop" {
			t.Errorf("the directory is %q", dir)
		}
	})
}
