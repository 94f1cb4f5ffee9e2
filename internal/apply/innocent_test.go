package apply_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// Who may not look at what was put has seen nothing that would condemn it.
func TestARightThatIsMissingIsNoFaultOfWhatIsAwaited(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		d := change{live: "web v1", want: "web v2", before: func(m *applytest.Memory) {
			m.OnCall(func(c applytest.Call) error {
				if c.Verb == "health" {
					return fault.As(fault.Blocked, errors.New("pods is forbidden"))
				}
				return nil
			})
		}}.run(ctx, t)
		if len(d.outcome.Failures) > 0 || fault.Of(d.outcome.Err) != fault.Blocked || !strings.Contains(d.outcome.Err.Error(), "forbidden") {
			t.Errorf("outcome %+v", d.outcome)
		}
	})
}

// unlooked is a target on which nobody looks at what was put.
type unlooked struct{ *applytest.Memory }

func (unlooked) Health(context.Context, resource.Key, resource.Ref) (resource.Health, error) {
	return resource.Health{State: resource.Progressing, Unseen: true, Reason: "its controller has not looked at it yet"}, nil
}

// An object that nobody has looked at is not to blame for what it lacks.
func TestAControllerThatIsAwayIsNoFaultOfWhatIsAwaited(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		m := world(t, nil)
		r := rollout(m)
		r.Target = unlooked{m}
		out := r.Run(ctx, plan(t, request(t, m, set(t, "web v1 ready=5s"), nil)))
		if len(out.Failures) > 0 || fault.Of(out.Err) != fault.Unreachable || !strings.HasSuffix(out.Err.Error(), "has not looked at it yet, for 5s") {
			t.Errorf("outcome %+v", out)
		}
	})
}

// said is a target that says one thing after the other of how what was put feels.
type said struct {
	*applytest.Memory
	next []resource.Health
}

func (s *said) Health(context.Context, resource.Key, resource.Ref) (resource.Health, error) {
	h := s.next[0]
	if len(s.next) > 1 {
		s.next = s.next[1:]
	}
	return h, nil
}

// Restarts of long ago, of pods that stay, are not counted from a look that saw none of
// them: the change that set a number of replicas would be blamed, and its way back too.
func TestRestartsCountFromTheFirstLookThatSawIt(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		m := world(t, nil)
		r := rollout(m)
		r.Target = &said{m, []resource.Health{
			{State: resource.Progressing, Unseen: true, Reason: "its controller has not looked at it yet"},
			{State: resource.Progressing, Started: true, Restarts: 7},
			{State: resource.Well, Started: true, Restarts: 7},
		}}
		if out := r.Run(ctx, plan(t, request(t, m, set(t, "web v1"), nil))); !out.OK() {
			t.Errorf("outcome %+v", out)
		}
	})
}

// What has become well has, however often it crashed before; what goes on to crash
// has not, well as it may be between two crashes.
func TestWhatIsWellInTheEndIsNotBlamedForItsCrashes(t *testing.T) {
	for name, c := range map[string]struct {
		then []resource.Health
		ok   bool
	}{
		"well":    {[]resource.Health{{State: resource.Well, Started: true, Restarts: 6}}, true},
		"running": {[]resource.Health{{State: resource.Well, Started: true, Restarts: 6, Check: apply.CheckRunning}}, true},
		"crashing": {[]resource.Health{
			{State: resource.Well, Started: true, Restarts: 6, Check: apply.CheckRunning},
			{State: resource.Well, Started: true, Restarts: 9, Check: apply.CheckRunning},
			{State: resource.Well, Started: true, Restarts: 11, Check: apply.CheckRunning},
		}, false},
	} {
		bubble(t, func(ctx context.Context, t *testing.T) {
			m := world(t, nil)
			r := rollout(m)
			r.Target = &said{m, append([]resource.Health{{State: resource.Progressing, Started: true}}, c.then...)}
			out := r.Run(ctx, plan(t, request(t, m, set(t, "web v1"), nil)))
			if out.OK() != c.ok || !c.ok && out.Failures[0].Reason != "crashed 5 times in a row" {
				t.Errorf("%s: outcome %+v", name, out)
			}
		})
	}
}

// A look that sees nothing, as of a controller that is at another generation for a
// moment, ends no soak; one that ends so has shown nothing.
func TestALookThatSeesNothingIsNoFailureInASoak(t *testing.T) {
	well := resource.Health{State: resource.Well, Started: true}
	unseen := resource.Health{State: resource.Progressing, Unseen: true, Reason: "not looked at yet"}
	for name, c := range map[string]struct {
		then []resource.Health
		want fault.Class
	}{
		"for a moment": {[]resource.Health{well, unseen, well}, fault.Unknown},
		"to its end":   {[]resource.Health{well, unseen}, fault.Unreachable},
	} {
		bubble(t, func(ctx context.Context, t *testing.T) {
			m := world(t, nil)
			p := plan(t, request(t, m, set(t, "web v1"), nil))
			r := rollout(m)
			out := r.Run(ctx, p)
			r.Target = &said{m, c.then}
			if f, err := r.Soak(ctx, p, out, time.Minute); f != nil || fault.Of(err) != c.want {
				t.Errorf("%s: %v, %v", name, f, err)
			}
		})
	}
}
