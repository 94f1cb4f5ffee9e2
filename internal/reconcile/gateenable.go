package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
	"syncd.io/syncd/internal/state"
)

// enableGates takes the ports over that the repository wants gates for, now:
// whatever sync.auto and sync.selfHeal say. What the repository does not ask for
// it does not do. Without Confirm it only says which gap to expect.
func (x *act) enableGates(ctx context.Context) (ActResult, error) {
	if _, err := x.gates(); err != nil {
		return ActResult{}, err
	}
	want, err := x.wantedRoutes(ctx)
	if err != nil {
		return ActResult{}, err
	}
	preview := x.agent.preview(ctx, x.catalog, x.worker, x.worker.read())
	if err := standsStill(preview); err != nil {
		return ActResult{}, err
	}
	text, taken := takeovers(preview, want)
	switch {
	case !taken:
		return ActResult{Text: text, Idle: true}, nil
	case !x.req.Confirm:
		return ActResult{Text: text, Preview: &preview}, nil
	case x.req.Plan != "" && x.req.Plan != preview.Digest:
		err := fmt.Errorf("enable the gates of app %s: plan %s is no longer what would be done", x.req.App, x.req.Plan)
		return ActResult{}, fault.Hint(fault.As(fault.Rejected, err), "a commit or a container came meanwhile; look again: syncd gate enable "+x.req.App)
	}
	x.req.Reason = strings.ReplaceAll(text, "\n", "; ")
	if err := x.change(ctx, "gate enable", false, func(*state.Record) error { return nil }); err != nil {
		return ActResult{}, err
	}
	return x.pass(ctx, text)
}

// wantedRoutes are the services of the request, or all, whose ports gates are to
// publish. Errors: Rejected where the repository asks for no gate.
func (x *act) wantedRoutes(ctx context.Context) ([]string, error) {
	if _, here := x.catalog.apps[x.req.App]; !here {
		return nil, fault.As(fault.Rejected, fmt.Errorf("the repository does not ask for app %s on this host", x.req.App))
	}
	cand, err := x.worker.candidate(ctx, x.catalog, x.worker.read())
	if err != nil {
		return nil, err
	}
	gated, all := routesIn(cand.set.Objects)
	for _, name := range x.req.Services {
		switch {
		case !slices.Contains(all, name):
			err := fmt.Errorf("app %s has no service %q", x.req.App, name)
			return nil, fault.Hint(fault.As(fault.Rejected, err), "its services: "+listed(all))
		case !slices.Contains(gated, name):
			return nil, x.notAsked("service "+name, name, x.catalog.apps[x.req.App].Dir)
		}
	}
	if len(gated) == 0 {
		return nil, x.notAsked("any of its services", "SERVICE", x.catalog.apps[x.req.App].Dir)
	}
	if len(x.req.Services) > 0 {
		return x.req.Services, nil
	}
	return gated, nil
}

// notAsked says what to write where the repository asks for no gate.
func (x *act) notAsked(whose, service, dir string) error {
	err := fmt.Errorf("the repository asks for no gate for %s of app %s: nothing was done", whose, x.req.App)
	return fault.Hint(fault.As(fault.Rejected, err),
		fmt.Sprintf("write below services.%s in the Compose file of %s: x-syncd: {gate: tcp} (or http), and merge that; the plan says the gap", service, dir))
}

// routesIn are the services that have routes, and all services, by name.
func routesIn(objects []resource.Object) (gated, all []string) {
	for _, o := range objects {
		if o.Group == "" {
			continue
		}
		all = append(all, o.Group)
		if o.Key.Kind == spec.KindRoute {
			gated = append(gated, o.Group)
		}
	}
	slices.Sort(gated)
	slices.Sort(all)
	return slices.Compact(gated), slices.Compact(all)
}

// standsStill is the error of an app in which a pass would do nothing.
func standsStill(p Preview) error {
	switch {
	case p.Error != "":
		return fault.Hint(fault.As(fault.Blocked, fmt.Errorf("%s: %s", p.Outcome, p.Error)), p.Hint)
	case p.Outcome != "":
		return fault.Hint(fault.As(fault.Blocked, fmt.Errorf("app %s is %s", p.App, p.Outcome)), p.Hint)
	case len(p.Plan.Blocked) > 0:
		return fault.As(fault.Blocked, fmt.Errorf("app %s is blocked: %s", p.App, strings.Join(p.Plan.Blocked, "; ")))
	}
	return nil
}

// takeovers says which services' ports gates take over in the plan, and what
// becomes of the others'.
func takeovers(p Preview, services []string) (text string, taken bool) {
	var lines []string
	for _, name := range services {
		switch i := slices.IndexFunc(p.Services, func(s ServicePlan) bool { return s.Group == name }); {
		case i >= 0 && len(p.Plan.TakenOver(name)) > 0:
			taken = true
			lines = append(lines, fmt.Sprintf("%s: a gate takes its port over, gap about %.1f s: from the stop of who publishes it now to the gate's start", name, p.Services[i].Gap.D().Seconds()))
		case p.Plan.Routed(name):
			taken = true
			lines = append(lines, name+": its gate is made or told anew, no port changes hands")
		default:
			lines = append(lines, name+": its gate publishes its port already")
		}
	}
	if taken && restOf(p, services) {
		lines = append(lines, "the pass does all that the plan says, also for other services")
	}
	return strings.Join(lines, "\n"), taken
}

// restOf tells whether the plan changes other services too.
func restOf(p Preview, services []string) bool {
	return slices.ContainsFunc(p.Services, func(s ServicePlan) bool { return s.How != apply.Unchanged && !slices.Contains(services, s.Group) })
}
