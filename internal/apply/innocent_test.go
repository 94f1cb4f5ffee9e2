package apply_test

import (
	"context"
	"errors"
	"strings"
	"testing"

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
