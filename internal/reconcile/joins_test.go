package reconcile_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/state"
)

// ofDrift are the lines of history about drift of the shop, the oldest first.
func (w *world) ofDrift() (out []state.Entry) {
	w.t.Helper()
	all, err := w.store.Since(0, 0)
	w.must(err)
	for _, e := range all {
		if e.App == "shop" && e.Kind == "drift" {
			out = append(out, e)
		}
	}
	return out
}

// Objects that drift one after the other are each told, the first of them at once, and
// later ones together: there are few lines, and nobody is left out.
func TestEachObjectThatJoinsIsNewsHoweverManyDid(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.drifting(sixty()...)
		defer w.background()()
		later(time.Minute)
		for i := range 60 {
			w.target.Vanish(key(fmt.Sprintf("c%03d", i)))
			w.look()
		}
		later(15 * time.Minute)
		w.look()
		told := map[string]int{}
		lines := w.ofDrift()
		for _, e := range lines {
			for _, line := range e.Findings {
				told[strings.Fields(line)[0]]++
			}
		}
		for i := range 60 {
			if name := fmt.Sprintf("container/c%03d/1", i); told[name] != 1 {
				t.Errorf("%s is told %d times", name, told[name])
			}
		}
		if len(lines) > 30 {
			t.Errorf("there are %d lines", len(lines))
		}
		later(time.Hour)
		w.look()
		if again := len(w.ofDrift()); again != len(lines) {
			t.Errorf("an hour later there are %d lines more", again-len(lines))
		}
	})
}

// What joins at once is one line, which names some and counts the others.
func TestManyObjectsThatJoinAtOnceAreCounted(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.drifting(sixty()...)
		defer w.background()()
		later(time.Minute)
		w.target.Vanish(key("web"))
		w.look()
		for i := range 60 {
			w.target.Vanish(key(fmt.Sprintf("c%03d", i)))
		}
		w.look()
		lines := w.ofDrift()
		if e := lines[len(lines)-1]; len(lines) != 2 || e.Outcome != "changed" || len(e.Findings) != 20 || e.More != 40 {
			t.Errorf("%d lines are told, the last names %d objects and counts %d more", len(lines), len(e.Findings), e.More)
		}
	})
}

// What was done about many objects is told of some: a line of history is no plan.
func TestStepsOfManyObjectsAreBounded(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(numbered(120)...)
		w.ends(reconcile.Applied)
		for i := range 120 {
			w.target.Vanish(key(fmt.Sprintf("c%03d", i)))
		}
		w.ends(reconcile.Applied)
		all, err := w.store.Since(0, 0)
		w.must(err)
		for _, e := range all {
			if n := len(e.Steps); n > 201 || n > 200 && !strings.HasPrefix(e.Steps[200], "and ") {
				t.Errorf("%s %s tells %d steps", e.Kind, e.Outcome, n)
			}
		}
	})
}

// New fields of one object are told so often, and no more: whatever they are, it is
// known that the object differs.
func TestFieldsWithoutEndAreToldAFewTimes(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.drifting()
		defer w.background()()
		later(time.Minute)
		for i := range 60 {
			w.target.Edit(key("web"), fmt.Sprintf(`{"image":"v1","pin":"sha256:v1","size-%d":"large"}`, i))
			w.look()
		}
		if lines := len(w.ofDrift()); lines != 20 {
			t.Errorf("%d lines are told", lines)
		}
	})
}
