package apply

import (
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// tolerates tells whether a failure leaves the rollout standing: one of what was
// failing before, of tidying up, within the group's ratio, or of a group that
// goes on whatever fails.
func (x *run) tolerates(res result) bool {
	if res.step.Innocent || res.step.Tidy {
		return true
	}
	group := res.step.Group()
	if group == "" || res.failure.Class != fault.Unhealthy {
		return false
	}
	policy := res.step.Policy
	x.failed[group]++
	return policy.FailureAction == resource.ActionContinue ||
		float64(x.failed[group]) <= policy.MaxFailureRatio*float64(x.slots(group))
}

func (x *run) slots(group string) int {
	for _, s := range x.plan.Services {
		if s.Group == group {
			return s.Of
		}
	}
	return 1
}
