package show_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"syncd.io/syncd/cmd/syncd/internal/show"
	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

func step(verb apply.Verb, k resource.Key, phase apply.Phase, detail string) reconcile.Event {
	s := apply.Step{Verb: verb, Key: k}
	if verb == apply.Await {
		s.Until = resource.Healthy
	}
	return reconcile.Event{App: "shop", Step: &apply.Event{Step: s, Phase: phase, Detail: detail, Elapsed: resource.Duration(12300 * time.Millisecond), Limit: resource.Duration(time.Minute)}}
}

// events are a rollout as a watcher hears it.
func events() []reconcile.Event {
	network, db, worker := resource.Key{Kind: "network", Name: "back"}, resource.Key{Kind: "container", Namespace: "db", Name: "1"}, resource.Key{Kind: "container", Namespace: "worker", Name: "1"}
	return []reconcile.Event{
		{Text: "pulling shop:2 (40 %)"},
		{App: "shop", Text: "drift: " + hostile},
		step(apply.Put, network, apply.Begun, ""), step(apply.Put, network, apply.Done, ""),
		step(apply.Put, web("1"), apply.Begun, ""), step(apply.Put, web("1"), apply.Done, ""),
		step(apply.Await, web("1"), apply.Begun, ""), step(apply.Await, web("1"), apply.Done, ""),
		step(apply.Remove, web("1"), apply.Begun, ""), step(apply.Remove, web("1"), apply.Done, ""),
		step(apply.Put, worker, apply.Begun, ""), step(apply.Await, worker, apply.FailedNow, "exit 1"),
		step(apply.Stop, db, apply.Begun, ""), step(apply.Stop, db, apply.Done, ""),
		step(apply.Await, db, apply.Waiting, "healthcheck: "+hostile),
		step(apply.Put, resource.Key{Kind: "volume", Name: "x"}, apply.Skipped, ""),
	}
}

func board(s show.Style) *show.Board {
	b := show.NewBoard(s)
	result := results()[1]
	b.Hear(reconcile.Event{App: "blog", Result: &result})
	for _, e := range events() {
		b.Hear(e)
	}
	b.Hear(reconcile.Event{Text: "pulling shop:3"})
	return b
}

func eventLines() string {
	var out []string
	result := results()[1]
	for _, e := range append(events(), reconcile.Event{App: "blog", Result: &result}) {
		if line := show.EventLine(e); line != "" {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n") + "\n"
}

func TestABoardNeverOutgrowsTheTerminal(t *testing.T) {
	for width := 1; width < 100; width++ {
		s := style()
		s.Width = width
		for _, line := range board(s).Lines() {
			if n := utf8.RuneCountInString(line); n > width {
				t.Fatalf("at width %d a line has %d columns: %q", width, n, line)
			}
		}
	}
	b := show.NewBoard(style())
	for i := range 200 {
		b.Hear(step(apply.Put, resource.Key{Kind: "network", Name: strings.Repeat("n", i+1)}, apply.Begun, ""))
	}
	if n := len(b.Lines()); n > 24 {
		t.Errorf("the board has %d lines", n)
	}
}
