package apply_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/resource"
)

func trial(r *apply.Request) { r.Trial = true }

func TestACanaryComesFirst(t *testing.T) {
	t.Run("beside the old one", func(t *testing.T) {
		planned{
			live: "web v1\nroute web 80 http", want: "web v2 canary=10\nroute web 80 http", req: trial,
			plan: `
				1 put    container/web/1 image: v1 -> v2
				2 await  container/web/1 healthy · after 1
				3 put    route/web/80    container/web/1 in for 10% · after 2
				4 await  container/web/1 healthy for 1m0s · after 3
				5 put    route/web/80    container/web/1 in · after 4
				6 await  route/web/80    drained · after 5
				7 remove container/web/1 replaced · after 6
				8 put    container/web/1 resting name · after 7`,
			services: "web: start-first, 1 of 1 (image: v1 -> v2), canary 10% for 1m0s",
		}.check(t)
	})
	t.Run("its batch divides the share, and the next needs none", func(t *testing.T) {
		p := planned{
			live: "web*3 v1\nroute web 80 http\nroute web 81 http", want: "web*3 v2 canary=10 par=2\nroute web 80 http\nroute web 81 http", req: trial,
		}.made(t)
		var shares []int
		for _, s := range p.Steps {
			if s.Traffic != nil && s.Traffic.Share > 0 {
				shares = append(shares, s.Traffic.Share)
			}
		}
		if !slices.Equal(shares, []int{5, 5, 5, 5}) {
			t.Errorf("shares %v in\n%s", shares, p)
		}
	})
}

func TestNoCanaryWhereNothingIsTriedOut(t *testing.T) {
	for name, c := range map[string]planned{
		"a first deploy":               {want: "web v2 canary=10\nroute web 80 http", req: trial},
		"a set that was good":          {live: "web v1\nroute web 80 http", want: "web v2 canary=10\nroute web 80 http"},
		"a rollback":                   {live: "web v1\nroute web 80 http", want: "web v2 canary=10\nroute web 80 http", req: func(r *apply.Request) { r.Trial, r.Back = true, true }},
		"stop-first":                   {live: "web v1 writes=data\nroute web 80 http", want: "web v2 canary=10 writes=data\nroute web 80 http", req: trial},
		"a port taken over":            {live: "web v1 port=80", want: "web v2 canary=10\nroute web 80 http", req: trial},
		"one of that version is there": {live: "web v2\nroute web 80 http", want: "web*2 v2 canary=10\nroute web 80 http", req: trial},
	} {
		t.Run(name, func(t *testing.T) {
			p := c.made(t)
			if slices.ContainsFunc(p.Steps, func(s apply.Step) bool { return s.For > 0 || s.Traffic != nil && s.Traffic.Share > 0 }) {
				t.Errorf("a canary in\n%s", p)
			}
			if told := len(p.Notes) == 1 && p.Notes[0] == "web has no canary: nobody serves beside it, writer data for web"; told != (name == "stop-first") {
				t.Errorf("notes %q", p.Notes)
			}
		})
	}
}

// A canary that gets sick is a failure, and the old one has served the rest all
// the while.
func TestASickCanaryFailsTheRollout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := world(t, set(t, "web v1\nroute web 80 http"))
		req := request(t, m, set(t, "web v2 canary=10 health=dies:30s\nroute web 80 http"), nil)
		req.Trial = true
		begun := time.Now()
		out := rollout(m).Run(t.Context(), plan(t, req))
		if len(out.Failures) != 1 || time.Since(begun) > time.Minute {
			t.Fatalf("after %s: %+v", time.Since(begun), out)
		}
		serving := m.Serving(resource.Key{Kind: "route", Namespace: "web", Name: "80"})
		if len(serving) == 0 || serving[0] != "container/web/1 i1" {
			t.Errorf("serving %v", serving)
		}
	})
}

// While a canary is watched, the rollout needs nothing of the machine.
func TestACanaryWaitsAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := world(t, set(t, "web v1\nroute web 80 http"))
		req := request(t, m, set(t, "web v2 canary=10 health=slow:3s\nroute web 80 http"), nil)
		req.Trial = true
		r, aside := rollout(m), time.Duration(0)
		r.Aside = func(wait func()) {
			begun := time.Now()
			wait()
			aside += time.Since(begun)
		}
		begun := time.Now()
		if out := r.Run(t.Context(), plan(t, req)); !out.OK() {
			t.Fatalf("%+v", out)
		}
		if took := time.Since(begun); aside < time.Minute || aside > took-time.Second {
			t.Errorf("aside for %s of %s", aside, took)
		}
	})
}
