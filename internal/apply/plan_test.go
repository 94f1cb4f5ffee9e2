package apply_test

import (
	"strings"
	"testing"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// planned is one rule of the planner: what runs, what is wanted, and the plan
// as it is printed.
type planned struct {
	live, want string
	// world changes what runs, req the request, before the plan is made.
	world func(*applytest.Memory)
	req   func(*apply.Request)
	done  []string // services whose jobs have exited 0
	plan  string
	// services are the stories of the groups that change.
	services string
}

func (c planned) check(t *testing.T) apply.Plan {
	t.Helper()
	p := c.made(t)
	if got, want := unindent(p.String()), unindent(c.plan); got != want {
		t.Errorf("planned\n%s\n\nwant\n%s", got, want)
	}
	if got := stories(p); c.services != "" && got != unindent(c.services) {
		t.Errorf("told\n%s\n\nwant\n%s", got, unindent(c.services))
	}
	return p
}

// made is the plan, whatever it says.
func (c planned) made(t *testing.T) apply.Plan {
	t.Helper()
	m := world(t, set(t, c.live))
	if c.world != nil {
		c.world(m)
	}
	want := set(t, c.want)
	done := map[string]bool{}
	for _, o := range want {
		for _, name := range c.done {
			if o.Group == name {
				done[o.Hash()] = true
			}
		}
	}
	req := request(t, m, want, done)
	if c.req != nil {
		c.req(&req)
	}
	return plan(t, req)
}

func stories(p apply.Plan) string {
	var lines []string
	for _, s := range p.Services {
		if s.How != apply.Unchanged {
			lines = append(lines, s.String())
		}
	}
	return strings.Join(lines, "\n")
}

func unindent(text string) string {
	var lines []string
	for _, l := range strings.Split(strings.TrimSpace(text), "\n") {
		lines = append(lines, strings.TrimLeft(l, "\t "))
	}
	return strings.Join(lines, "\n")
}

// refused says that no plan can be made of the set.
func refused(t *testing.T, want, reason string) {
	t.Helper()
	_, err := apply.NewPlan(request(t, applytest.NewMemory(), set(t, want), nil))
	if err == nil || err.Error() != reason {
		t.Fatalf("got %v, want %s", err, reason)
	}
	if fault.Of(err) != fault.Rejected || fault.Advice(err) == "" {
		t.Errorf("class %s, hint %q", fault.Of(err), fault.Advice(err))
	}
}

func back(r *apply.Request)     { r.Back, r.AwaitAll = true, true }
func awaitAll(r *apply.Request) { r.AwaitAll = true }

func failing(keys ...resource.Key) func(*apply.Request) {
	return func(r *apply.Request) {
		r.AwaitAll, r.Before = true, map[resource.Key]resource.Health{}
		for _, k := range keys {
			r.Before[k] = resource.Health{State: resource.Failed}
		}
	}
}
