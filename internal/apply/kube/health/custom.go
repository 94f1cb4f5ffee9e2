package health

import (
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/resource"
)

// affirmations are the conditions that are True on a custom resource that is
// well. Those it does not have say nothing.
func affirmations() []string {
	return []string{"Ready", "Available", "Healthy", "Synced", "Established", "Accepted", "Programmed"}
}

// basis is kstatus' word.
func (s *subject) basis(h resource.Health) resource.Health {
	result, err := status.Compute(s.object)
	if err != nil { // a status of another shape than the usual says nothing
		return well(h, CheckStatus, "")
	}
	switch result.Status {
	case status.CurrentStatus:
		return well(h, CheckStatus, "")
	case status.FailedStatus:
		return failed(h, CheckStatus, because(result))
	default:
		return progressing(h, CheckStatus, because(result))
	}
}

// because returns the reason and the message of the condition that made a result.
func because(result *status.Result) string {
	for _, c := range result.Conditions {
		return phrase(c.Reason, c.Message)
	}
	return result.Message
}

// custom is the health of a custom resource: Reconciling, Stalled, Failed and the
// affirmations above. One whose status says nothing at all is well, for many
// kinds have none; but its controller may only not have come to it yet, so it is
// watched for a moment. A kind that says it in another way wants a check of its
// own.
func (s *subject) custom(h resource.Health) resource.Health {
	if c := conditionOf(s.object.Object, "Failed"); c.holds() {
		return failed(h, CheckStatus, c.why())
	}
	if out := s.basis(h); out.State != resource.Well {
		return out
	}
	for _, name := range affirmations() {
		c := conditionOf(s.object.Object, name)
		switch {
		case c.kind == "" && (name != "Available" || s.kind != kindAPIService):
			continue
		case c.kind == "":
			return progressing(h, CheckStatus, "is not available yet")
		case c.generation != 0 && c.generation < number(s.object.Object, 0, "metadata", "generation"):
			return progressing(h, CheckStatus, name+" is of an older generation")
		case !c.holds():
			return progressing(h, CheckStatus, phrase(name+" is "+c.status, c.why()))
		}
	}
	if values, _ := field(s.object.Object, "status").(map[string]any); len(values) == 0 {
		return well(h, apply.CheckRunning, "has no status: nothing says otherwise")
	}
	return well(h, CheckStatus, "")
}
