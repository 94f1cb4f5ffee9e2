package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/trace"
)

func second(n int) time.Time { return time.Unix(1_700_000_000+int64(n), 0) }

// stepped is an event of a step that ended at a second, after so many.
func stepped(verb apply.Verb, name string, phase apply.Phase, took, at int, detail string) reconcile.Event {
	return reconcile.Event{App: "shop", At: second(at), Step: &apply.Event{
		Step: apply.Step{Verb: verb, Key: resource.Key{Kind: "container", Name: name}}, Phase: phase, Elapsed: resource.Duration(time.Duration(took) * time.Second), Detail: detail,
	}}
}

// outline are spans as they lie within one another, in seconds of the pass.
func outline(s trace.Span, depth int) string {
	text := fmt.Sprintf("%s%s %d-%d", strings.Repeat("  ", depth), s.Name, s.Begun.Unix()-second(0).Unix(), s.Ended.Unix()-second(0).Unix())
	if s.Failed != "" {
		text += " failed: " + s.Failed
	}
	text += "\n"
	for _, part := range s.Parts {
		text += outline(part, depth+1)
	}
	return text
}

func TestATraceHasPhasesAndSteps(t *testing.T) {
	tr := &tracer{steps: map[string][]trace.Span{}}
	for _, e := range []reconcile.Event{
		stepped(apply.Put, "web/2", apply.Begun, 0, 4, ""), stepped(apply.Put, "web/2", apply.Done, 1, 5, ""),
		stepped(apply.Await, "web/2", apply.Waiting, 1, 6, "starting"), stepped(apply.Await, "web/2", apply.FailedNow, 3, 8, "exited with 1"),
		stepped(apply.Remove, "web/1", apply.Skipped, 0, 8, "not reached"), stepped(apply.Remove, "web/2", apply.Done, 1, 10, ""),
	} {
		tr.take(e)
	}
	stretch := func(phase string, from, to int) reconcile.Stretch {
		return reconcile.Stretch{Phase: phase, Begun: second(from), Took: second(to).Sub(second(from))}
	}
	got := spanOf(reconcile.Result{
		App: "shop", Outcome: reconcile.RolledBack, Reason: "web exited with 1", Revision: source.Revision{Commit: "c0de"}, Started: second(1), Duration: resource.Duration(9 * time.Second),
		Stretches: []reconcile.Stretch{stretch("render", 0, 1), stretch("prepare", 1, 2), stretch("observe", 2, 3), stretch("rollout", 4, 8), stretch("rollout", 9, 10)},
	}, tr.taken("shop"))
	want := `pass shop 0-10 failed: web exited with 1
  render 0-1
  prepare 1-2
  observe 2-3
  rollout 4-8
    put container/web/2 4-5
    await container/web/2 5-8 failed: exited with 1
  rollout 9-10
    remove container/web/2 9-10
`
	if text := outline(got, 0); text != want {
		t.Errorf("the trace is\n%s\nwant\n%s", text, want)
	}
	if left := tr.taken("shop"); len(left) != 0 {
		t.Errorf("the next pass begins with %v", left)
	}
}

func TestStepsOfAPassAreBounded(t *testing.T) {
	tr := &tracer{steps: map[string][]trace.Span{}}
	for range 3 * mostSteps {
		tr.take(stepped(apply.Put, "web/1", apply.Done, 1, 2, ""))
	}
	if n := len(tr.taken("shop")); n != mostSteps {
		t.Errorf("%d steps are kept", n)
	}
}
