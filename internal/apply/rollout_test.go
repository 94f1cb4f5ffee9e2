package apply_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// change is one rollout from live to want, in fake time.
type change struct {
	live, want string
	req        func(*apply.Request)
	before     func(*applytest.Memory)
}

// done is what became of it.
type done struct {
	*applytest.Memory
	plan    apply.Plan
	outcome apply.Outcome
	took    time.Duration
	events  []apply.Event
}

func (c change) run(ctx context.Context, t *testing.T) done {
	t.Helper()
	m := world(t, set(t, c.live))
	time.Sleep(time.Hour) //nolint:forbidigo // fake time: what runs has long been up
	if c.before != nil {
		c.before(m)
	}
	req := request(t, m, set(t, c.want), nil)
	if c.req != nil {
		c.req(&req)
	}
	d := done{Memory: m, plan: plan(t, req)}
	m.WatchLowest()
	r := rollout(m)
	r.Watch = func(e apply.Event) { d.events = append(d.events, e) }
	begun := time.Now()
	d.outcome = r.Run(ctx, d.plan)
	d.took = time.Since(begun)
	for _, rule := range m.Broken() {
		t.Errorf("broke a rule: %s", rule)
	}
	return d
}

// bubble runs a test in fake time, with a context that outlives none of it.
func bubble(t *testing.T, test func(ctx context.Context, t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t.Context(), t) })
}

func (d done) images(key resource.Key) string {
	var out []string
	for _, i := range d.Instances(key) {
		image, _, _ := strings.Cut(strings.TrimPrefix(string(i.Spec[strings.Index(string(i.Spec), `"image":"`):]), `"image":"`), `"`)
		if !i.Running {
			image = "-" + image
		}
		out = append(out, image)
	}
	return strings.Join(out, " ")
}

func (d done) wantFailure(t *testing.T, key resource.Key, class fault.Class, reason string) {
	t.Helper()
	if len(d.outcome.Failures) != 1 {
		t.Fatalf("failures %v (%v), want one: %s", d.outcome.Failures, d.outcome.Err, reason)
	}
	f := d.outcome.Failures[0]
	if f.Step.Key != key || f.Class != class || f.Reason != reason {
		t.Errorf("failed %s (%s), want %s: %s (%s)", f, f.Class, key, reason, class)
	}
	if d.outcome.OK() || d.outcome.Err != nil {
		t.Errorf("OK %t, error %v", d.outcome.OK(), d.outcome.Err)
	}
}

func (d done) wantOK(t *testing.T) {
	t.Helper()
	if !d.outcome.OK() || d.outcome.Degraded() || d.outcome.Skipped > 0 {
		t.Fatalf("outcome %+v", d.outcome)
	}
}

func TestNeverFewerThanTwoOfThreeHealthy(t *testing.T) {
	for _, order := range []string{"start-first", "stop-first"} {
		bubble(t, func(ctx context.Context, t *testing.T) {
			d := change{live: "web*3 v1 health=slow:3s", want: "web*3 v2 health=slow:3s order=" + order}.run(ctx, t)
			d.wantOK(t)
			if low := d.Lowest("web"); low < 2 || order == "start-first" && low < 3 {
				t.Errorf("%s: only %d healthy", order, low)
			}
			if got := d.images(slot("web", 3)); got != "v2" {
				t.Errorf("%s: web/3 runs %s", order, got)
			}
		})
	}
}

func TestWhatNeedsItOpensOnlyWhenHealthy(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		d := change{want: "db v1 health=slow:5s\nweb v1 needs=db:healthy\nlog v1 needs=db:started"}.run(ctx, t)
		d.wantOK(t)
		at := map[string]time.Duration{}
		for _, c := range d.Calls() {
			if c.Verb == "put" {
				at[c.Key.Namespace] = c.At.Sub(d.Calls()[0].At)
			}
		}
		if at["log"] != 0 || at["web"] < 5*time.Second || at["web"] > 6*time.Second {
			t.Errorf("puts at %v", at)
		}
	})
}

func TestABatchBehindAFailedOneNeverOpens(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		d := change{live: "web*3 v1", want: "web*3 v2 health=never ready=10s"}.run(ctx, t)
		d.wantFailure(t, slot("web", 1), fault.Unhealthy, "not healthy after 10s (starting)")
		if n := d.Count("put"); n != 1 {
			t.Errorf("%d puts", n)
		}
		if low := d.Lowest("web"); low != 3 {
			t.Errorf("only %d healthy", low)
		}
		if lines := d.outcome.Failures[0].Lines; len(lines) != 2 || lines[0] != "hello from v2" {
			t.Errorf("last lines %q", lines)
		}
		if d.took > 11*time.Second || d.outcome.Skipped == 0 {
			t.Errorf("took %s, skipped %d", d.took, d.outcome.Skipped)
		}
	})
}

func TestFailuresWithinTheRatioAreTolerated(t *testing.T) {
	// web/1 of three cannot be healthy: its namesake is broken by hand each time.
	breaking := func(n int) func(*applytest.Memory) {
		return func(m *applytest.Memory) {
			m.OnCall(func(c applytest.Call) error {
				if c.Verb == "health" && c.Key.Namespace == "web" && c.Key.Name <= string(rune('0'+n)) {
					return errors.New("cannot be probed")
				}
				return nil
			})
		}
	}
	for _, c := range []struct {
		name   string
		broken int
		fields string
		ok     bool
	}{
		{"one of three, none allowed", 1, "", false},
		{"one of three, a third allowed", 1, "ratio=0.34", true},
		{"two of three, a third allowed", 2, "ratio=0.34", false},
		{"three of three, but go on", 3, "action=continue", true},
		{"one of three, pause", 1, "action=pause", false},
	} {
		bubble(t, func(ctx context.Context, t *testing.T) {
			d := change{live: "web*3 v1", want: "web*3 v2 " + c.fields + "\nlog v1 needs=web:healthy", before: breaking(c.broken)}.run(ctx, t)
			if d.outcome.OK() != c.ok || c.ok != d.outcome.Degraded() {
				t.Errorf("%s: outcome %+v", c.name, d.outcome)
			}
			if c.ok && (len(d.outcome.Tolerated) != c.broken || d.images(slot("log", 1)) != "v1") {
				t.Errorf("%s: tolerated %v", c.name, d.outcome.Tolerated)
			}
		})
	}
}

func TestWhatIsToleratedIsNotSoaked(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		d := change{live: "web*2 v1", want: "web*2 v2 health=never ready=1s action=continue"}.run(ctx, t)
		f, err := rollout(d.Memory).Soak(ctx, d.plan, d.outcome, 10*time.Second)
		if f != nil || err != nil {
			t.Errorf("soak: %v, %v", f, err)
		}
	})
}

func TestRejectedIsNeverTolerated(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		d := change{live: "web v1", want: "web v2 invalid=nonsense action=continue"}.run(ctx, t)
		d.wantFailure(t, slot("web", 1), fault.Rejected, "put container/web/1: nonsense")
		if got := d.images(slot("web", 1)); got != "v1" {
			t.Errorf("web runs %s", got)
		}
	})
}

func TestCrashLoopWithoutHealthcheckIsFoundBeforeTheOldOneGoes(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		d := change{live: "web v1 health=running", want: "web v2 health=crashloop:300ms"}.run(ctx, t)
		d.wantFailure(t, slot("web", 1), fault.Unhealthy, "crashed 5 times in a row")
		if got := d.images(slot("web", 1)); got != "v1 v2" {
			t.Errorf("web runs %s", got)
		}
		if d.took > 5*time.Second {
			t.Errorf("took %s", d.took)
		}
	})
}

func TestACrashOrTwoAtTheStartAreForgiven(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		d := change{live: "web v1", want: "web v2 health=crashes:2"}.run(ctx, t)
		d.wantOK(t)
		if d.took < 2400*time.Millisecond { // two crashes of 0.7 s each, then a quiet second
			t.Errorf("believed after %s", d.took)
		}
	})
}

func TestRestartsBeforeTheRolloutDoNotCount(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		d := change{live: "web v1", want: "web v1", req: awaitAll, before: func(m *applytest.Memory) {
			for range 9 {
				m.Bounce(slot("web", 1))
			}
		}}.run(ctx, t)
		d.wantOK(t)
		if d.outcome.Restarts[slot("web", 1)] != 9 {
			t.Errorf("restarts %v", d.outcome.Restarts)
		}
	})
}

func TestHealthyThenDiesWhileMonitored(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		d := change{live: "web v1", want: "web v2 health=dies:5s monitor=10s"}.run(ctx, t)
		d.wantFailure(t, slot("web", 1), fault.Unhealthy, "unhealthy")
		if got := d.images(slot("web", 1)); got != "v1 v2" {
			t.Errorf("web runs %s", got)
		}
	})
}

func TestHealthyThenDiesInTheSoak(t *testing.T) {
	for name, c := range map[string]struct {
		health, reason string
		during         func(*applytest.Memory)
	}{
		"unhealthy":   {"dies:5s", "did not stay healthy: unhealthy", nil},
		"restarted":   {"", "restarted in its soak: no reason known", func(m *applytest.Memory) { m.Bounce(slot("web", 1)) }},
		"disappeared": {"", "disappeared in its soak", func(m *applytest.Memory) { m.Vanish(slot("web", 1)) }},
		"fine":        {"", "", nil},
	} {
		bubble(t, func(ctx context.Context, t *testing.T) {
			d := change{live: "web v1", want: "web v2 health=" + c.health + "\nmigrate v1 job"}.run(ctx, t)
			d.wantOK(t)
			if c.during != nil {
				time.AfterFunc(3*time.Second, func() { c.during(d.Memory) })
			}
			f, err := rollout(d.Memory).Soak(ctx, d.plan, d.outcome, 10*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case c.reason == "" && f != nil:
				t.Errorf("%s: %v", name, f)
			case c.reason != "" && (f == nil || f.Reason != c.reason || f.Class != fault.Unhealthy):
				t.Errorf("%s: %v, want %s", name, f, c.reason)
			}
		})
	}
}

func TestSoakEndsWithItsContext(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		d := change{live: "web v1", want: "web v2"}.run(ctx, t)
		why := errors.New("superseded")
		ctx, cancel := context.WithCancelCause(ctx)
		time.AfterFunc(time.Second, func() { cancel(why) })
		if f, err := rollout(d.Memory).Soak(ctx, d.plan, d.outcome, time.Hour); f != nil || !errors.Is(err, why) {
			t.Errorf("soak: %v, %v", f, err)
		}
	})
}

func TestJobs(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		d := change{want: "migrate v1 job health=exit:0:5s\nweb v1 needs=migrate:completed"}.run(ctx, t)
		d.wantOK(t)
		if len(d.outcome.Completed) != 1 || d.outcome.Completed[0].Group != "migrate" {
			t.Errorf("completed %v", d.outcome.Completed)
		}
	})
	bubble(t, func(ctx context.Context, t *testing.T) {
		d := change{want: "migrate v1 job health=exit:3:5s\nweb v1 needs=migrate:completed"}.run(ctx, t)
		d.wantFailure(t, slot("migrate", 1), fault.Unhealthy, "exited 3")
		if code := d.outcome.Failures[0].Health.ExitCode; code == nil || *code != 3 {
			t.Errorf("exit code %v", code)
		}
		if d.images(slot("web", 1)) != "" || len(d.outcome.Completed) != 0 {
			t.Error("web did not wait for the job")
		}
	})
}

func TestInnocentFailureDegradesOnly(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		d := change{
			live: "web v1\nworker v1\nold v1", want: "web v2\nworker v1\nlog v1 needs=worker:healthy",
			req: failing(slot("worker", 1)), before: func(m *applytest.Memory) { m.Break(slot("worker", 1), "broken before") },
		}.run(ctx, t)
		if !d.outcome.OK() || !d.outcome.Degraded() || len(d.outcome.Tolerated) != 1 {
			t.Errorf("outcome %+v", d.outcome)
		}
		if d.images(slot("web", 1)) != "v2" || d.images(slot("log", 1)) != "" || d.images(slot("old", 1)) != "v1" {
			t.Error("who needs what was failing is put, or the prune did not wait for health")
		}
	})
}

func TestNotRequiredOpensWhenItsNeedHasFailed(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		d := change{want: "a v1 health=never ready=2s action=continue\nb v1 needs=a:healthy?\nc v1 needs=a:healthy"}.run(ctx, t)
		if !d.outcome.OK() || d.images(slot("b", 1)) != "v1" {
			t.Errorf("outcome %+v", d.outcome)
		}
	})
	bubble(t, func(ctx context.Context, t *testing.T) { // a can never begin: x was failing before
		d := change{
			live: "x v1", want: "x v1\na v1 needs=x:healthy\nb v1 needs=a:healthy?",
			req: failing(slot("x", 1)), before: func(m *applytest.Memory) { m.Break(slot("x", 1), "down") },
		}.run(ctx, t)
		if !d.outcome.OK() || d.images(slot("b", 1)) != "v1" || d.images(slot("a", 1)) != "" {
			t.Errorf("outcome %+v", d.outcome)
		}
	})
}

func TestDelayLiesBetweenBatches(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		d := change{live: "web*3 v1", want: "web*3 v2 delay=30s"}.run(ctx, t)
		d.wantOK(t)
		if d.took != time.Minute {
			t.Errorf("took %s", d.took)
		}
	})
}

func TestUnreachablePausesTheClocks(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		d := change{live: "web v1", want: "web v2 health=slow:70s ready=20s", before: func(m *applytest.Memory) {
			m.Unreachable(time.Now().Add(5*time.Second), time.Now().Add(65*time.Second))
		}}.run(ctx, t)
		d.wantOK(t)
		if got := d.images(slot("web", 1)); got != "v2" {
			t.Errorf("web runs %s", got)
		}
	})
}

func TestUnreachableForTooLongGivesNoVerdict(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		d := change{live: "web v1", want: "web v2 health=slow:10s", before: func(m *applytest.Memory) {
			m.Unreachable(time.Now().Add(time.Second), time.Now().Add(time.Hour))
		}}.run(ctx, t)
		if fault.Of(d.outcome.Err) != fault.Unreachable || len(d.outcome.Failures) != 0 || d.outcome.OK() {
			t.Errorf("outcome %+v", d.outcome)
		}
		if d.took < 2*time.Minute || d.took > 3*time.Minute {
			t.Errorf("gave up after %s", d.took)
		}
	})
}

func TestALostAnswerPutsNothingTwice(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		d := change{want: "web v1", before: func(m *applytest.Memory) {
			m.LoseAnswerAt(1, fault.As(fault.Unreachable, errors.New("connection reset")))
		}}.run(ctx, t)
		d.wantOK(t)
		if n := len(d.Instances(slot("web", 1))); n != 1 || d.Count("put") != 2 {
			t.Errorf("%d instances by %d puts", n, d.Count("put"))
		}
	})
}

func TestCancelStopsWithItsCause(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		why := errors.New("superseded by a newer commit")
		ctx, cancel := context.WithCancelCause(ctx)
		time.AfterFunc(5*time.Second, func() { cancel(why) })
		d := change{want: "web v1 health=never"}.run(ctx, t)
		if !errors.Is(d.outcome.Err, why) || len(d.outcome.Failures) != 0 {
			t.Errorf("outcome %+v", d.outcome)
		}
	})
	bubble(t, func(ctx context.Context, t *testing.T) { // during a pause
		ctx, cancel := context.WithCancel(ctx)
		time.AfterFunc(5*time.Second, cancel)
		d := change{live: "web*2 v1", want: "web*2 v2 delay=1h"}.run(ctx, t)
		if !errors.Is(d.outcome.Err, context.Canceled) || d.took > 6*time.Second {
			t.Errorf("outcome %+v after %s", d.outcome, d.took)
		}
	})
	bubble(t, func(ctx context.Context, t *testing.T) { // before anything
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		d := change{want: "web v1"}.run(ctx, t)
		if !errors.Is(d.outcome.Err, context.Canceled) || d.Changes() != 0 || d.outcome.Skipped != 2 {
			t.Errorf("outcome %+v", d.outcome)
		}
	})
}

// A rollout that is told to end leaves nobody without an instance: what was
// stopped to make room gets its successor, and nothing else begins.
func TestAnEndedRolloutLeavesNoSlotEmpty(t *testing.T) {
	const live, want = "web*2 v1 order=stop-first\nlog v1", "web*2 v2 order=stop-first\nlog v2 needs=web:healthy"
	for _, verb := range []string{"stop", "put"} {
		bubble(t, func(ctx context.Context, t *testing.T) {
			why := errors.New("told to end")
			ctx, end := context.WithCancelCause(ctx)
			d := change{live: live, want: want, before: func(m *applytest.Memory) {
				m.OnCall(func(c applytest.Call) error {
					if c.Verb == verb {
						end(why)
					}
					return nil
				})
			}}.run(ctx, t)
			if !errors.Is(d.outcome.Err, why) || len(d.outcome.Failures) > 0 {
				t.Errorf("outcome %+v", d.outcome)
			}
			for key, image := range map[resource.Key]string{slot("web", 1): "-v1 v2", slot("web", 2): "v1", slot("log", 1): "v1"} {
				if got := d.images(key); got != image {
					t.Errorf("ended at its %s: %s is %s, want %s", verb, key, got, image)
				}
			}
		})
	}
}

// A route that holds its connections gets somebody to serve them.
func TestAnEndedRolloutHandsItsRoutesOver(t *testing.T) {
	for _, at := range []string{"put route/web/80", "stop container/web/1", "put container/web/1"} {
		bubble(t, func(ctx context.Context, t *testing.T) {
			ctx, end := context.WithCancel(ctx)
			d := change{live: "web v1 writes=data\nroute web 80 tcp", want: "web v2 writes=data\nroute web 80 tcp\nlog v1 needs=web:healthy", before: func(m *applytest.Memory) {
				m.OnCall(func(c applytest.Call) error {
					if c.Verb+" "+c.Key.String() == at {
						end()
					}
					return nil
				})
			}}.run(ctx, t)
			if serving := d.Serving(resource.Key{Kind: "route", Namespace: "web", Name: "80"}); len(serving) != 1 || d.images(slot("web", 1)) != "-v1 v2" || d.images(slot("log", 1)) != "" {
				t.Errorf("ended at its first %s: %q serves, of %q", at, serving, d.images(slot("web", 1)))
			}
		})
	}
}

// Where a slot has room for one, what was removed to make room gets its successor, too;
// a job is not begun for that.
func TestAnEndedRolloutPutsWhatItRemovedForRoom(t *testing.T) {
	for more, left := range map[string]string{"": "v2", " job": ""} {
		bubble(t, func(ctx context.Context, t *testing.T) {
			live, want := set(t, "web v1"+more), set(t, "web v2"+more)
			live[0].Key.Kind, want[0].Key.Kind = "Container", "Container"
			m := world(t, live)
			ctx, end := context.WithCancel(ctx)
			m.OnCall(func(c applytest.Call) error {
				if c.Verb == "remove" {
					end()
				}
				return nil
			})
			outcome := rollout(m).Run(ctx, plan(t, request(t, m, want, nil)))
			if got := (done{Memory: m}).images(want[0].Key); got != left || !errors.Is(outcome.Err, context.Canceled) {
				t.Errorf("there is %q, want %q: %+v", got, left, outcome)
			}
		})
	}
}

// A failure waits for nobody who is owed to somebody else: the way back fills all slots.
func TestAFailureWaitsForNobodyElsesStart(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		d := change{
			live: "web v1 writes=data\nroute web 80 tcp\ndb v1",
			want: "web v2 writes=data health=never ready=10m\nroute web 80 tcp\ndb v2 health=never ready=5s",
		}.run(ctx, t)
		d.wantFailure(t, slot("db", 1), fault.Unhealthy, "not healthy after 5s (starting)")
		if d.took > 10*time.Second {
			t.Errorf("it took %s", d.took)
		}
		if got := d.images(slot("web", 1)); got != "-v1 v2" {
			t.Errorf("web runs %s: what is put is put", got)
		}
	})
}

// Who hears of the steps may take long, such as to write a record: what is asked of the
// target meanwhile goes on.
func TestAStepWaitsForNobodyWhoHears(t *testing.T) { // in no bubble: a lock is no wait there
	live, want := set(t, "web v1"), set(t, "web v2\nmigrate v1 job health=exit:0:50ms")
	live[0].Key.Kind, want[0].Key.Kind = "Container", "Container"
	m := world(t, live)
	tries, heard, removed := 0, make(chan struct{}), make(chan struct{})
	m.OnCall(func(c applytest.Call) error {
		if c.Verb != "remove" {
			return nil
		}
		select {
		case <-heard: // somebody hears of the job now
		default:
			return fault.As(fault.Unreachable, errors.New("not now"))
		}
		if tries++; tries == 1 {
			return fault.As(fault.Unreachable, errors.New("nor now"))
		}
		close(removed)
		return nil
	})
	r := rollout(m)
	r.Watch = func(e apply.Event) {
		if e.Step.Until == resource.Completed && e.Phase == apply.Done {
			close(heard)
			select {
			case <-removed:
			case <-time.After(30 * time.Second):
				t.Error("the remove waits for who hears of the job")
			}
		}
	}
	if o := r.Run(t.Context(), plan(t, request(t, m, want, nil))); !o.OK() {
		t.Errorf("outcome %+v", o)
	}
}

// A failure that the ratio tolerates lets the next batch begin, and costs nobody who
// serves: the new instance does not enter, and the old one stays.
func TestAToleratedFailureTakesNobodyOut(t *testing.T) {
	for name, c := range map[string]struct{ live, want string }{
		"behind a gate": {"web*3 v1\nroute web 80 tcp", "web*3 v2 ratio=0.5 ready=5s\nroute web 80 tcp"},
		"without one":   {"web*3 v1", "web*3 v2 ratio=0.5 ready=5s"},
		"whatever":      {"web*3 v1", "web*3 v2 action=continue ready=5s"},
	} {
		bubble(t, func(ctx context.Context, t *testing.T) {
			m, want := world(t, set(t, c.live)), set(t, c.want)
			want[0] = set(t, "web v2 health=never ready=5s "+strings.Fields(c.want)[2])[0]
			o := rollout(m).Run(ctx, plan(t, request(t, m, want, nil)))
			d := done{Memory: m}
			if !o.OK() || !o.Degraded() || len(o.Tolerated) != 1 {
				t.Errorf("%s: outcome %+v", name, o)
			}
			for n, images := range map[int]string{1: "v1 v2", 2: "v2", 3: "v2"} {
				if got := d.images(slot("web", n)); got != images {
					t.Errorf("%s: web/%d runs %q, want %q", name, n, got, images)
				}
			}
			if key := want[len(want)-1].Key; key.Kind == "route" && len(m.Serving(key)) != 3 {
				t.Errorf("%s: served are %v, want three", name, m.Serving(key))
			}
			if broken := m.Broken(); len(broken) > 0 {
				t.Errorf("%s: broke %v", name, broken)
			}
		})
	}
}

// What went down with its network is put back, all of it, before the end.
func TestAnEndedRolloutPutsBackWhatWentDownWithItsNetwork(t *testing.T) {
	const set = " on=front\nweb v1 on=front needs=db:healthy\nother "
	for _, verb := range []string{"stop", "remove", "put"} {
		bubble(t, func(ctx context.Context, t *testing.T) {
			ctx, end := context.WithCancel(ctx)
			d := change{live: "network front bridge\ndb v1" + set + "v1", want: "network front overlay\ndb v1" + set + "v2 needs=web:healthy", before: func(m *applytest.Memory) {
				m.OnCall(func(c applytest.Call) error {
					if c.Verb == verb {
						end()
					}
					return nil
				})
			}}.run(ctx, t)
			if d.outcome.Err == nil {
				t.Errorf("outcome %+v", d.outcome)
			}
			for _, s := range []string{"web", "db"} {
				if got := d.images(slot(s, 1)); !strings.HasSuffix(" "+got, " v1") {
					t.Errorf("ended at its first %s: %s is %q", verb, s, got)
				}
			}
			if got := d.images(slot("other", 1)); got != "v1" {
				t.Errorf("ended at its first %s: other is %q", verb, got)
			}
		})
	}
}

// Whatever its policy allows, a job that failed has not done what others need.
func TestNobodyBuildsOnAFailedJob(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		d := change{want: "migrate v1 job health=exit:3:1s action=continue\nweb v1 needs=migrate:completed"}.run(ctx, t)
		if d.images(slot("web", 1)) != "" {
			t.Errorf("web was put: %+v", d.outcome)
		}
	})
}

// What is dear to look at is looked at less often: no target is kept busy by an
// await.
func TestADearLookIsTakenLessOften(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		d := change{want: "web v1 health=slow:10s", before: func(m *applytest.Memory) {
			m.OnCall(func(c applytest.Call) error {
				if c.Verb == "health" {
					<-time.After(100 * time.Millisecond)
				}
				return nil
			})
		}}.run(ctx, t)
		d.wantOK(t)
		if n := d.Count("health"); n < 10 || n > 22 || d.took > 11*time.Second {
			t.Errorf("%d looks of 100 ms each in %s", n, d.took)
		}
	})
}

// A route is no part of what a soak proves.
func TestARouteIsNotWatchedInTheSoak(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		d := change{live: "web v1\nroute web 80 tcp", want: "web v2\nroute web 80 tcp"}.run(ctx, t)
		d.Forget()
		if f, err := rollout(d.Memory).Soak(ctx, d.plan, d.outcome, 10*time.Second); f != nil || err != nil {
			t.Fatalf("failure %+v, error %v", f, err)
		}
		for _, c := range d.Calls() {
			if c.Key.Kind == "route" {
				t.Fatalf("it did %s", c)
			}
		}
		if d.Count("health") < 50 {
			t.Errorf("only %d looks", d.Count("health"))
		}
	})
}

// A target that does not answer keeps nobody from ending.
func TestAnEndedRolloutEndsWithinItsGrace(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		ctx, end := context.WithCancel(ctx)
		d := change{live: "web v1", want: "web v2 order=stop-first", before: func(m *applytest.Memory) {
			m.OnCall(func(c applytest.Call) error {
				if c.Verb == "put" {
					end()
					return fault.As(fault.Unreachable, errors.New("silent"))
				}
				return nil
			})
		}}.run(ctx, t)
		if d.outcome.Err == nil || d.took > 31*time.Second {
			t.Errorf("outcome %+v after %s", d.outcome, d.took)
		}
	})
}

func TestAFailureStopsTheOtherAwaits(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		d := change{want: "a v1 health=never ready=1h\nb v1 health=dies:2s monitor=5s"}.run(ctx, t)
		d.wantFailure(t, slot("b", 1), fault.Unhealthy, "unhealthy")
		if d.took > 3*time.Second {
			t.Errorf("took %s", d.took)
		}
	})
}

func TestWhatTheTargetKeptIsNotRemoved(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		m := world(t, set(t, "web v1"))
		old := m.Instances(slot("web", 1))[0].Ref
		o := set(t, "web v1")[0]
		out := rollout(m).Run(ctx, apply.Plan{Steps: []apply.Step{
			{ID: 1, Verb: apply.Put, Key: o.Key, Object: &o},
			{ID: 2, Verb: apply.Remove, Key: o.Key, Ref: old, After: []int{1}, Tidy: true},
		}})
		if len(out.Tolerated) != 1 || len(m.Instances(o.Key)) != 1 {
			t.Errorf("outcome %+v, %d instances", out, len(m.Instances(o.Key)))
		}
	})
}

func TestEveryStepIsTold(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		d := change{live: "web v1", want: "web v2 health=slow:3s"}.run(ctx, t)
		d.wantOK(t)
		phases := map[int][]apply.Phase{}
		for _, e := range d.events {
			phases[e.Step.ID] = append(phases[e.Step.ID], e.Phase)
		}
		for _, s := range d.plan.Steps {
			p := phases[s.ID]
			if len(p) < 2 || p[0] != apply.Begun || p[len(p)-1] != apply.Done {
				t.Errorf("step %s was told as %v", s, p)
			}
		}
		waiting := 0
		for _, e := range d.events {
			if e.Phase == apply.Waiting {
				waiting++
				if e.Limit.D() != time.Minute || e.Detail != "starting" {
					t.Errorf("waiting event %+v", e)
				}
			}
		}
		if waiting != 3 {
			t.Errorf("%d waiting events in 3 seconds", waiting)
		}
	})
}
