package reconcile

import (
	"fmt"
	"slices"
)

// enabling takes the ports over that the repository wants gates for.
func enabling() handing {
	return handing{verb: "gate enable", begun: "enable the gates", meant: toEnable, says: handover.taking}
}

// toEnable are services whose ports gates are to publish.
func toEnable(x *act, h handover) ([]string, error) {
	unasked := func(whose, service string) error {
		return x.inGit("asks for no gate", whose, service, "{gate: tcp} (or http)")
	}
	for _, name := range x.req.Services {
		switch {
		case !slices.Contains(h.all, name):
			return nil, x.unknown(name, h.all)
		case !slices.Contains(h.gated, name):
			return nil, unasked("service "+name, name)
		}
	}
	switch {
	case len(h.gated) == 0:
		return nil, unasked("any of the services", "SERVICE")
	case len(x.req.Services) > 0:
		return x.req.Services, nil
	}
	return h.gated, nil
}

// taking says which of a service's ports its gates take over, or hold already.
func (h handover) taking(service string) (line string, does bool) {
	plan := h.preview.Plan
	switch {
	case len(plan.TakenOver(service)) > 0:
		return fmt.Sprintf("%s: a gate takes its port over, gap about %.1f s: from the stop of who publishes it now to the gate's start", service, h.gap(service)), true
	case plan.Routed(service):
		return service + ": its gate is made or told anew, no port changes hands", true
	}
	return service + ": its gate publishes its port already", false
}
