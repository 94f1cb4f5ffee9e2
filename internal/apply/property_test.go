package apply_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// dice writes random sets in the words of set.
type dice struct{ *rand.Rand }

func (d dice) one(words ...string) string { return words[d.IntN(len(words))] }

func (d dice) maybe(percent int, text string) string {
	if d.IntN(100) < percent {
		return text
	}
	return ""
}

// set is one of up to five services that need each other, share networks,
// namespaces, ports and volumes; without contradictions in it.
func (d dice) set() string {
	var b strings.Builder
	for _, n := range []string{"front", "back"} {
		b.WriteString(d.maybe(80, "network "+n+" "+d.one("bridge", "bridge", "bridge", "overlay")+"\n"))
	}
	nets := strings.Contains(b.String(), "front")
	b.WriteString("volume data local\n")
	ports := d.Perm(4)
	var names []string
	for i, name := range []string{"a", "b", "c", "d", "e"} {
		if d.IntN(100) < 30 {
			continue
		}
		b.WriteString(d.service(name, names, 8000+ports[i%4]*d.one2(i), nets) + "\n")
		names = append(names, name)
	}
	return b.String()
}

// one2 keeps the fifth service off the others' ports.
func (d dice) one2(i int) int {
	if i == 4 {
		return 10
	}
	return 1
}

func (d dice) service(name string, earlier []string, port int, nets bool) string {
	times, image := 1+d.IntN(3), d.one("v1", "v2", "v3")
	if d.IntN(100) < 10 {
		return fmt.Sprintf("%s %s job%s", name, image, d.needs(earlier))
	}
	line := fmt.Sprintf("%s*%d %s order=%s par=%d back=%d", name, times, image, d.one("", "start-first", "stop-first"), d.IntN(3), d.IntN(3))
	if times == 1 {
		line += d.maybe(40, fmt.Sprintf(" port=%s%d", d.one("", "127.0.0.1:"), port))
		line += d.maybe(10, " name=fixed-"+d.one(name, name+"2"))
	}
	route := ""
	if !strings.Contains(line, " port=") {
		route = d.maybe(40, fmt.Sprintf("\nroute %s %d %s", name, port, d.one("tcp", "tcp", "http")))
		line += d.maybe(30, " canary=10")
	}
	line += d.maybe(25, " writes=data") + d.maybe(20, " limits="+d.one("1g", "2g")) + d.needs(earlier)
	switch {
	case nets && d.IntN(2) == 0:
		line += " on=front"
	case len(earlier) > 0 && d.IntN(100) < 15:
		line += " in=" + d.one(earlier...)
	}
	return line + route
}

func (d dice) needs(earlier []string) string {
	if len(earlier) == 0 || d.IntN(2) == 0 {
		return ""
	}
	return " needs=" + d.one(earlier...) + ":" + d.one("started", "healthy", "healthy") + d.one("", "", "?") + d.one("", "", "!restart")
}

// sane drops namespaces shared with jobs and needs that a job cannot meet.
func sane(objects []resource.Object) bool {
	jobs := map[string]bool{}
	for _, o := range objects {
		jobs[o.Group] = jobs[o.Group] || o.Once && o.Group != ""
	}
	for _, o := range objects {
		for _, r := range o.Refs {
			if jobs[r.Namespace] {
				return false
			}
		}
	}
	return true
}

// pass is what an agent does: observe, compare, plan, carry out.
func pass(ctx context.Context, t *testing.T, m *applytest.Memory, want []resource.Object, done map[string]bool, isBack bool, watch func(apply.Step)) (apply.Plan, apply.Outcome) {
	t.Helper()
	req := request(t, m, want, done)
	req.AwaitAll, req.Back, req.Trial, req.Consented = true, isBack, !isBack, true
	p := plan(t, req)
	checkShape(t, p)
	r := rollout(m)
	r.Watch = func(e apply.Event) {
		if e.Phase == apply.Begun && watch != nil {
			watch(e.Step)
		}
	}
	out := r.Run(ctx, p)
	for _, o := range out.Completed {
		done[o.Hash()] = true
	}
	return p, out
}

// checkShape says that a plan has no circle: every step waits for earlier ones.
func checkShape(t *testing.T, p apply.Plan) {
	t.Helper()
	for i, s := range p.Steps {
		if s.ID != i+1 {
			t.Fatalf("step %d has the number %d", i+1, s.ID)
		}
		for _, id := range append(append([]int{s.Made}, s.After...), s.Soft...) {
			if id >= s.ID || id < 0 {
				t.Fatalf("step %s waits for %d\n%s", s, id, p)
			}
		}
		if s.Verb == apply.Put && s.Object == nil || (s.Verb == apply.Stop || s.Verb == apply.Remove) && s.Ref.ID == "" {
			t.Fatalf("step %s acts on nothing", s)
		}
	}
}

// converged says that nothing is left to be done, and that nothing was broken on
// the way: no claim was shared, no network removed under its users.
func converged(t *testing.T, m *applytest.Memory, want []resource.Object, done map[string]bool, story func() string) {
	t.Helper()
	req := request(t, m, want, done)
	if again := plan(t, req); !again.Empty() || len(again.Blocked) > 0 {
		t.Fatalf("%s\nnot converged:\n%s\nwould be done:\n%s", story(), req.Report, again)
	}
	if !req.Report.InSync() && !onlyJobs(req, want) {
		t.Fatalf("%s\nnot in sync:\n%s", story(), req.Report)
	}
	for _, p := range req.Pairs {
		for _, i := range p.Live {
			if p.Want != nil && p.Want.Group != "" && !p.Want.Once && i.Health.State != resource.Well {
				t.Fatalf("%s\n%s is %s: %s", story(), p.Key, i.Health.State, i.Health.Reason)
			}
		}
	}
	if broken := m.Broken(); len(broken) > 0 {
		t.Fatalf("%s\nbroken rules:\n%s", story(), strings.Join(broken, "\n"))
	}
}

// onlyJobs tells whether the only differences are jobs: a rollback runs none.
func onlyJobs(req apply.Request, want []resource.Object) bool {
	once := map[resource.Key]bool{}
	for _, o := range want {
		once[o.Key] = o.Once
	}
	for _, f := range req.Report.Different() {
		if !once[f.Key] {
			return false
		}
	}
	return true
}

// pairOfSets is a good set and the one that follows it.
type pairOfSets struct {
	seed       uint64
	good, next string
}

func (d dice) pair(t *testing.T, seed uint64) (pairOfSets, []resource.Object, []resource.Object) {
	t.Helper()
	for {
		p := pairOfSets{seed: seed, good: d.set(), next: d.set()}
		good, next := set(t, p.good), set(t, p.next)
		if sane(good) && sane(next) && planable(t, good) && planable(t, next) {
			return p, good, next
		}
	}
}

func planable(t *testing.T, objects []resource.Object) bool {
	t.Helper()
	_, err := apply.NewPlan(request(t, applytest.NewMemory(), objects, nil))
	return err == nil
}

func deployed(ctx context.Context, t *testing.T, objects []resource.Object) (*applytest.Memory, map[string]bool) {
	t.Helper()
	m, done := applytest.NewMemory(), map[string]bool{}
	if p, out := pass(ctx, t, m, objects, done, false, nil); !out.OK() {
		t.Fatalf("first deploy:\n%s%+v\n%s", p, out, m.Log())
	}
	m.Forget()
	return m, done
}

// drift does something by hand to what runs.
func (d dice) drift(m *applytest.Memory) string {
	slots := m.Slots()
	if len(slots) == 0 {
		return ""
	}
	var story []string
	for range d.IntN(3) {
		key := slots[d.IntN(len(slots))]
		if key.Kind != "container" {
			continue
		}
		what := d.one("kill", "vanish", "rename")
		story = append(story, what+" "+key.String())
		switch what {
		case "kill":
			m.Kill(key)
		case "vanish":
			m.Vanish(key)
		case "rename":
			m.Rename(key, "oops")
		}
	}
	return strings.Join(story, ", ")
}

func TestEveryPlanConverges(t *testing.T) {
	const sets = 500
	for seed := range uint64(sets) {
		bubble(t, func(ctx context.Context, t *testing.T) {
			d := dice{rand.New(rand.NewPCG(seed, 1))}
			sets, good, next := d.pair(t, seed)
			m, done := deployed(ctx, t, good)
			converged(t, m, good, done, func() string { return fmt.Sprintf("seed %d, first deploy of\n%s", seed, sets.good) })
			hand := d.drift(m)
			p, out := pass(ctx, t, m, next, done, false, nil)
			story := func() string {
				return fmt.Sprintf("seed %d\nfrom\n%s\nto\n%s\nafter %s\nplan\n%s\noutcome %+v\ncalls\n%s", seed, sets.good, sets.next, hand, p, out, m.Log())
			}
			if !out.OK() || len(out.Tolerated) > 0 || out.Skipped > 0 {
				t.Fatal(story())
			}
			converged(t, m, next, done, story)
		})
	}
}

// TestAFailureAtEveryStepRollsBack lets each step of a plan fail in turn; the
// good set must come back by one rollback.
func TestAFailureAtEveryStepRollsBack(t *testing.T) {
	const sets = 15
	for seed := range uint64(sets) {
		bubble(t, func(ctx context.Context, t *testing.T) {
			_, good, next := dice{rand.New(rand.NewPCG(seed, 2))}.pair(t, seed)
			for k := 1; ; k++ {
				if !failAt(ctx, t, seed, k, good, next) {
					return
				}
			}
		})
	}
}

// failAt deploys good, lets step k on the way to next fail, and rolls back. It
// returns false where the plan has no step k.
func failAt(ctx context.Context, t *testing.T, seed uint64, k int, good, next []resource.Object) bool {
	t.Helper()
	m, done := deployed(ctx, t, good)
	var begun atomic.Pointer[apply.Step]
	m.OnCall(func(c applytest.Call) error {
		failing := begun.Load()
		if failing != nil && c.Key == failing.Key && (c.Verb == string(failing.Verb) || c.Verb == "health" && failing.Verb == apply.Await) {
			return errors.New("injected")
		}
		return nil
	})
	p, out := pass(ctx, t, m, next, done, false, func(s apply.Step) {
		if s.ID == k {
			begun.Store(&s)
		}
	})
	m.OnCall(nil)
	if k > len(p.Steps) {
		return false
	}
	log := m.Log()
	noClaimShared(t, m)
	m.Forget()
	p2, out2 := pass(ctx, t, m, good, done, true, nil)
	story := func() string {
		return fmt.Sprintf("seed %d, step %d of\n%s\noutcome %+v\ncalls\n%s\nrollback\n%s\noutcome %+v\ncalls\n%s", seed, k, p, out, log, p2, out2, m.Log())
	}
	if !out2.OK() {
		t.Fatal(story())
	}
	converged(t, m, good, done, story)
	return true
}

// noClaimShared forgives what a failed step brings with it (a network that is
// still in use), but never two running instances of one claim.
func noClaimShared(t *testing.T, m *applytest.Memory) {
	t.Helper()
	for _, rule := range m.Broken() {
		if strings.Contains(rule, "is held by") {
			t.Fatalf("%s\n%s", rule, m.Log())
		}
	}
}

// TestACrashAtEveryCallResumes ends the agent at each changing call in turn,
// before or after it had its effect; the next pass must finish the work.
func TestACrashAtEveryCallResumes(t *testing.T) {
	const sets = 15
	for seed := range uint64(sets) {
		bubble(t, func(ctx context.Context, t *testing.T) {
			_, good, next := dice{rand.New(rand.NewPCG(seed, 3))}.pair(t, seed)
			for k := 1; ; k++ {
				for _, lost := range []bool{false, true} {
					if !crashAt(ctx, t, seed, k, lost, good, next) {
						return
					}
				}
			}
		})
	}
}

func crashAt(ctx context.Context, t *testing.T, seed uint64, k int, lost bool, good, next []resource.Object) bool {
	t.Helper()
	m, done := deployed(ctx, t, good)
	agent, kill := context.WithCancel(ctx)
	defer kill()
	if lost {
		m.LoseAnswerAt(k, fault.As(fault.Unreachable, errors.New("killed")))
	}
	m.OnCall(func(c applytest.Call) error {
		dead := agent.Err() != nil
		if c.Number == k {
			kill()
			dead = !lost
		}
		if dead {
			return errors.New("killed")
		}
		return nil
	})
	p, out := pass(agent, t, m, next, done, false, nil)
	m.OnCall(nil)
	if m.Changes() < k {
		return false
	}
	log := m.Log()
	noClaimShared(t, m)
	m.Forget()
	time.Sleep(time.Second) //nolint:forbidigo // fake time
	p2, out2 := pass(ctx, t, m, next, done, false, nil)
	story := func() string {
		return fmt.Sprintf("seed %d, killed at call %d (lost %t) of\n%s\noutcome %+v\ncalls\n%s\nresumed\n%s\noutcome %+v\ncalls\n%s", seed, k, lost, p, out, log, p2, out2, m.Log())
	}
	if !out2.OK() {
		t.Fatal(story())
	}
	converged(t, m, next, done, story)
	return true
}
