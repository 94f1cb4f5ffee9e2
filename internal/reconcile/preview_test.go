package reconcile_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// knowing is an engine that knows its host's memory, and some images.
type knowing struct {
	*world
	free   int64
	images []string
}

func (k *knowing) FreeMemory(context.Context) (int64, error) { return k.free, nil }

func (k *knowing) Image(_ context.Context, pin string) (reconcile.Image, bool, error) {
	return reconcile.Image{Version: "1.2.3", Revision: "abc"}, slices.Contains(k.images, pin), nil
}

// priced are services of each way of replacing: web has a limit, drains and takes
// two at a time, db has a volume of its own and a healthcheck, fast a quicker one,
// told is told to leave, and bare has nothing.
func priced(v string) []resource.Object {
	web := service("web", 2, `"image":"`+v+`","drain":3000000000,"resources":{"memory":1073741824}`)
	for i := range web {
		web[i].Policy.Parallelism = 2
	}
	alone := func(name, more string) resource.Object {
		o := one(name, `"image":"`+v+`"`+more)
		o.Claims = []resource.Claim{{Kind: resource.ClaimWriter, Value: name}}
		return o
	}
	return append(web,
		alone("db", `,"healthcheck":{"test":["CMD","x"],"interval":5000000000}`),
		alone("fast", `,"healthcheck":{"test":["CMD","x"],"interval":5000000000,"start_interval":200000000}`),
		alone("told", `,"drain":3000000000,"pre_stop":[{"command":["x"]}]`),
		alone("bare", ""), alone("none", `,"healthcheck":{"test":["NONE"],"interval":5000000000}`),
		job("migrate", `"image":"`+v+`"`, resource.Job{}),
	)
}

// A plan says what it costs, before anybody pays.
func TestPlanSaysWhatItCosts(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		k := &knowing{world: w, free: 4 << 30, images: []string{"sha256:v1"}}
		w.restart(func(o *reconcile.Options) { o.Engine = k })
		plan := func() reconcile.Preview {
			t.Helper()
			previews, err := w.agent.Plan(t.Context(), reconcile.PlanRequest{})
			w.must(err)
			return previews[0]
		}
		w.repo.shop(priced("v1")...)
		if p := plan(); p.WayBack.Good.Commit != "" || !slices.Equal(p.Jobs, []string{"migrate"}) {
			t.Errorf("before the first deploy, the way back is %+v, the jobs are %v", p.WayBack, p.Jobs)
		}
		w.ends(reconcile.Applied)
		w.repo.shop(priced("v2")...)
		w.target.ImageAbsent("v2")
		p := plan()
		if p.WayBack.Good.Commit != commitName(0) || len(p.WayBack.Missing) != 0 || !slices.Equal(p.Jobs, []string{"migrate"}) || !slices.Equal(slices.Compact(p.Missing), []string{"v2"}) {
			t.Errorf("the way back is %+v, the jobs are %v, to be pulled is %v", p.WayBack, p.Jobs, p.Missing)
		}
		for _, s := range p.Services {
			want, ok := map[string]reconcile.ServicePlan{
				"web":  {Service: apply.Service{How: apply.HowStartFirst}, Pause: resource.Duration(3 * time.Second), Memory: 2 << 30, Free: 4 << 30},
				"db":   {Service: apply.Service{How: apply.HowStopFirst}, Gap: resource.Duration(5300 * time.Millisecond)},
				"fast": {Service: apply.Service{How: apply.HowStopFirst}, Gap: resource.Duration(500 * time.Millisecond)},
				"told": {Service: apply.Service{How: apply.HowStopFirst}, Gap: resource.Duration(3300 * time.Millisecond), Pause: resource.Duration(3 * time.Second)},
				"bare": {Service: apply.Service{How: apply.HowStopFirst}, Gap: resource.Duration(300 * time.Millisecond)},
				"none": {Service: apply.Service{How: apply.HowStopFirst}, Gap: resource.Duration(300 * time.Millisecond)},
			}[s.Group]
			if ok && (s.How != want.How || s.Gap != want.Gap || s.Pause != want.Pause || s.Memory != want.Memory || s.Free != want.Free) {
				t.Errorf("%s: %+v\nwant %+v", s.Group, s, want)
			}
		}
		k.images = nil
		if p := plan(); !slices.Equal(p.WayBack.Missing, []string{"v1"}) {
			t.Errorf("missing on the way back is %v, want the old image, once", p.WayBack.Missing)
		}
		if n := w.target.Count("put"); n != 8 {
			t.Errorf("asking put something: %d puts", n)
		}
	})
}

// What is asked for can be read by anybody who may ask: secrets cannot.
func TestRenderedObjectsShowNoSecret(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		web := one("web", `"image":"v1","environment":{"GREETING":"hello","TICKET":"hunter2","DB_PASSWORD":"hunter3"}`)
		web.Sensitive = []string{"/environment/TICKET"}
		w.repo.shop(web)
		w.ends(reconcile.Applied)
		out, err := w.agent.Rendered(t.Context(), "shop")
		w.must(err)
		for _, part := range []string{`"container/web/1"`, "hello", "TICKET", resource.Mask} {
			if !strings.Contains(string(out), part) {
				t.Errorf("%s is not in it:\n%s", part, out)
			}
		}
		if strings.Contains(string(out), "hunter") {
			t.Errorf("a secret is in it:\n%s", out)
		}
		for app, text := range map[string]string{"shpo": "shpo", "": ""} {
			if _, err := w.agent.Rendered(t.Context(), app); err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("app %q: %v", app, err)
			}
		}
		w.repo.merge(map[string]appFiles{})
		if _, err := w.agent.Rendered(t.Context(), "shop"); err == nil || !strings.Contains(err.Error(), "does not ask for app shop") {
			t.Errorf("an app that is gone: %v", err)
		}
	})
}

// The log of what failed is kept by the revision that it was of.
func TestLogsAreFoundByTheirRevision(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.shop(never("v2"))
		w.ends(reconcile.RolledBack)
		for revision, n := range map[string]int{"": 1, commitName(1): 1, commitName(0): 0} {
			logs, err := w.agent.Logs(t.Context(), "shop", revision)
			w.must(err)
			if len(logs) != n {
				t.Errorf("of revision %q there are %d logs, want %d", revision, len(logs), n)
			}
			if n == 1 && (logs[0].Slot != key("web") || len(logs[0].Lines) == 0 || !strings.Contains(logs[0].Reason, "not healthy")) {
				t.Errorf("kept is %+v", logs[0])
			}
		}
		if _, err := w.agent.Logs(t.Context(), "shpo", ""); err == nil {
			t.Error("there are logs of an app that nobody knows")
		}
	})
}
