package reconcile_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// wanting are the objects of an app that wants these: "port 0.0.0.0:80/tcp",
// "name db", or "3 of 8000-8002/tcp", which are three replicas.
func wanting(wants ...string) []resource.Object {
	var out []resource.Object
	for i, want := range wants {
		name := "s" + strconv.Itoa(i)
		if n, ports, isRange := strings.Cut(want, " of "); isRange {
			count, _ := strconv.Atoi(n)
			published, protocol, _ := strings.Cut(ports, "/")
			out = append(out, service(name, count, fmt.Sprintf(`"service":%q,"image":"v1","ports":[{"published":%q,"target":80,"protocol":%q}]`, name, published, protocol))...)
			continue
		}
		kind, value, _ := strings.Cut(want, " ")
		o := one(name, `"image":"v1"`)
		o.Claims = []resource.Claim{{Kind: resource.ClaimKind(kind), Value: value}}
		out = append(out, o)
	}
	return out
}

func TestAppsContestPortsAndNames(t *testing.T) {
	for name, c := range map[string]struct {
		mine, theirs, want string
	}{
		"one port":              {"port 0.0.0.0:80/tcp", "port 0.0.0.0:80/tcp", "port 0.0.0.0:80/tcp"},
		"all addresses":         {"port 127.0.0.1:80/tcp", "port 0.0.0.0:80/tcp", "port 127.0.0.1:80/tcp (there: port 0.0.0.0:80/tcp)"},
		"all of IPv6":           {"port [::]:80/tcp", "port [::1]:80/tcp", "port [::]:80/tcp (there: port [::1]:80/tcp)"},
		"two addresses":         {"port 127.0.0.1:80/tcp", "port 127.0.0.2:80/tcp", ""},
		"two protocols":         {"port 0.0.0.0:80/tcp", "port 0.0.0.0:80/udp", ""},
		"one name":              {"name db", "name db", "name db"},
		"the host's network":    {"port host network of web", "port host network of web", ""},
		"their own next":        {"port 0.0.0.0:8000-8002/tcp for web/1", "port 0.0.0.0:8001/tcp", ""},
		"a range with room":     {"2 of 8000-8002/tcp", "port 0.0.0.0:8001/tcp", ""},
		"a full range":          {"3 of 8000-8002/tcp", "port 0.0.0.0:8001/tcp", "port 0.0.0.0:8000-8002/tcp (there: port 0.0.0.0:8001/tcp)"},
		"a port of a range":     {"port 127.0.0.1:8001/tcp", "3 of 8000-8002/tcp", "port 127.0.0.1:8001/tcp (there: port 0.0.0.0:8000-8002/tcp)"},
		"two ranges":            {"3 of 8000-8002/tcp", "1 of 8002-8002/tcp", "port 0.0.0.0:8000-8002/tcp (there: port 0.0.0.0:8002/tcp)"},
		"ranges with room":      {"3 of 8000-8005/tcp", "3 of 8000-8005/tcp", ""},
		"ranges without":        {"3 of 8000-8004/tcp", "3 of 8000-8004/tcp", "port 0.0.0.0:8000-8004/tcp"},
		"ranges side by side":   {"3 of 8000-8002/tcp", "3 of 8003-8005/tcp", ""},
		"a range of other sort": {"3 of 8000-8002/udp", "port 0.0.0.0:8001/tcp", ""},
		"data is their own":     {"writer data", "writer data", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			for _, x := range reconcile.Contest(wanting(c.mine), wanting(c.theirs)) {
				got += x.String()
			}
			if got != c.want {
				t.Errorf("contested: %q, want %q", got, c.want)
			}
		})
	}
}

// Two apps that want one port are found before anything is put, in any order of
// passes: who has it keeps it, and else the first by name gets it.
func TestOfTwoAppsThatWantOnePortTheSameGetsIt(t *testing.T) {
	wide, local := "port 0.0.0.0:8080/tcp", "port 127.0.0.1:8080/tcp"
	both := func(blog, shop string) map[string]appFiles {
		return map[string]appFiles{"blog": {objects: wanting(blog)}, "shop": {objects: wanting(shop)}}
	}
	plans := func(t *testing.T, w *world, req reconcile.PlanRequest, loser string, parts ...string) {
		t.Helper()
		previews, err := w.agent.Plan(t.Context(), req)
		w.must(err)
		for _, p := range previews {
			if p.App != loser {
				if p.Error != "" {
					t.Errorf("the plan of %s: %s", p.App, p.Error)
				}
				continue
			}
			for _, part := range append(parts, "blog/compose.yaml", "shop/compose.yaml") {
				if p.Outcome != reconcile.Blocked || !strings.Contains(p.Error, part) || !strings.Contains(p.Hint, "hosts.matchLabels") {
					t.Errorf("the plan of %s is %q, %q, hint %q: want blocked for %q", p.App, p.Outcome, p.Error, p.Hint, part)
				}
			}
		}
	}
	t.Run("neither runs", func(t *testing.T) {
		within(t, func(t *testing.T, w *world) {
			w.repo.merge(both(wide, local))
			why := local + " (there: " + wide + ") of shop/compose.yaml is wanted by app blog in blog/compose.yaml too, whose name comes first"
			plans(t, w, reconcile.PlanRequest{}, "shop", why)
			plans(t, w, reconcile.PlanRequest{Ref: commitName(0)}, "shop", why)
			plans(t, w, reconcile.PlanRequest{Apps: []string{"shop"}}, "shop", why)
			if res := w.ends(reconcile.Blocked); !strings.Contains(res.Reason, why) { // the shop passes first
				t.Errorf("the pass says %s", res.Reason)
			}
			if got := w.all(); got != "blog applied, shop blocked" {
				t.Errorf("the pass ended: %s", got)
			}
			if n := w.target.Count("put"); n != 0 {
				t.Errorf("%d objects of the shop were put", n)
			}
			w.repo.merge(both("port 0.0.0.0:9090/tcp", local))         // what gives way is found by itself
			if got := w.all(); got != "blog unchanged, shop applied" { // a claim alone changes nothing in memory
				t.Errorf("the pass ended: %s", got)
			}
			plans(t, w, reconcile.PlanRequest{}, "nobody")
		})
	})
	t.Run("the later by name has it", func(t *testing.T) {
		within(t, func(t *testing.T, w *world) {
			w.repo.merge(map[string]appFiles{"shop": {objects: wanting(local)}})
			w.ends(reconcile.Applied)
			had := w.target.Count("put")
			w.repo.merge(both(wide, local))
			plans(t, w, reconcile.PlanRequest{}, "blog", "app shop", "which has it")
			if got := w.all(); got != "blog blocked, shop unchanged" {
				t.Errorf("the pass ended: %s", got)
			}
			if n := w.target.Count("put"); n != had {
				t.Errorf("the shop was touched: %d puts, %d before", n, had)
			}
			changed := wanting(local)
			changed[0].Spec = []byte(`{"image":"v2"}`)
			w.repo.merge(map[string]appFiles{"blog": {objects: wanting(wide)}, "shop": {objects: changed}})
			if got := w.all(); got != "blog blocked, shop applied" {
				t.Errorf("with a change of the one that has it, the pass ended: %s", got)
			}
		})
	})
	t.Run("a broken app keeps what it has", func(t *testing.T) {
		within(t, func(t *testing.T, w *world) {
			w.repo.merge(map[string]appFiles{"shop": {objects: wanting(local)}})
			w.ends(reconcile.Applied)
			w.repo.merge(map[string]appFiles{"blog": {objects: wanting(wide)}, "shop": {broken: "no compose file", objects: wanting("name other")}})
			if got := w.all(); got != "blog blocked, shop rejected" {
				t.Errorf("the pass ended: %s", got)
			}
		})
	})
}

// What others want is looked for only where there is anything to contest.
func TestAnAppWithoutPortsAsksNobody(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.merge(map[string]appFiles{"blog": {objects: wanting("port 0.0.0.0:80/tcp")}, "shop": {objects: []resource.Object{healthy("v1")}}})
		w.ends(reconcile.Applied)
		if _, rendered := w.repo.asked(); rendered != 1 {
			t.Errorf("%d apps were rendered, want the shop alone", rendered)
		}
		if got := w.all(); !slices.Contains(strings.Split(got, ", "), "blog applied") {
			t.Errorf("the pass ended: %s", got)
		}
		if _, rendered := w.repo.asked(); rendered != 2 {
			t.Errorf("%d renderings of two apps: each is rendered once", rendered)
		}
	})
}

// What cannot be rendered is rendered once, and not by everybody who asks what it wants.
func TestAnAppThatCannotBePutIsNotRenderedForAllOthers(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		apps := map[string]appFiles{
			"shop":   {objects: []resource.Object{healthy("v1")}, homeless: true},
			"broken": {objects: []resource.Object{healthy("v1")}, broken: "compose.yaml:3: not a mapping"},
		}
		for i := range 20 {
			apps[fmt.Sprintf("app-%02d", i)] = appFiles{objects: wanting(fmt.Sprintf("port 0.0.0.0:%d/tcp", 8000+i))}
		}
		w.repo.merge(apps)
		results, err := w.agent.Sync(t.Context(), reconcile.SyncRequest{}, nil)
		w.must(err)
		if _, rendered := w.repo.asked(); rendered > 30 {
			t.Errorf("%d renderings of %d apps", rendered, len(results))
		}
		if len(results) != 22 || results[0].Outcome != reconcile.Applied {
			t.Errorf("%d results, the first %s (%s)", len(results), results[0].Outcome, results[0].Reason)
		}
	})
}
