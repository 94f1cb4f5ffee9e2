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

// handing is a way in which ports change hands at a person's word.
type handing struct {
	// verb is what a person types, begun how an error about it begins.
	verb, begun string
	// meant are the services whose ports are to change hands: those of the request,
	// or all. Errors: Rejected where the repository does not ask for that.
	meant func(*act, handover) ([]string, error)
	// says tells what becomes of one service's ports, and whether anything does.
	says func(handover, string) (line string, does bool)
	// none is said where no service is meant.
	none string
}

// handover is what ports change hands by.
type handover struct {
	gates
	// gated are the services that the repository asks for gates for, all those that
	// it has, by name.
	gated, all []string
}

// hand lets ports change hands now, by a pass: whatever sync.auto and
// sync.selfHeal say. What the repository does not ask for it does not do. Without
// Confirm it only says which gap to expect.
func (x *act) hand(ctx context.Context, way handing) (ActResult, error) {
	h, err := x.handover(ctx)
	if err != nil {
		return ActResult{}, err
	}
	services, err := way.meant(x, h)
	if err == nil {
		err = standsStill(*h.preview)
	}
	if err != nil {
		return ActResult{}, err
	}
	text, does := h.told(services, way)
	switch {
	case !does:
		return ActResult{Text: text, Idle: true}, nil
	case !x.req.Confirm:
		return ActResult{Text: text, Preview: h.preview}, nil
	case x.req.Plan != "" && x.req.Plan != h.preview.Digest:
		err := fmt.Errorf("%s of app %s: plan %s is no longer what would be done", way.begun, x.req.App, x.req.Plan)
		return ActResult{}, fault.Hint(fault.As(fault.Rejected, err), x.agent.idiom().meanwhile+"; look again: syncd "+way.verb+" "+x.req.App)
	}
	if err := inTime(*h.preview); err != nil {
		return ActResult{}, err
	}
	x.req.Reason = strings.ReplaceAll(text, "\n", "; ")
	if err := x.change(ctx, way.verb, false, func(*state.Record) error { return nil }); err != nil {
		return ActResult{}, err
	}
	return x.pass(ctx, text)
}

// handover looks at what the repository asks for, and at what a pass would do.
// Errors: Rejected where the app is not asked for, Blocked where it is left alone.
func (x *act) handover(ctx context.Context) (handover, error) {
	if _, err := x.gates(); err != nil {
		return handover{}, err
	}
	if _, here := x.catalog.apps[x.req.App]; !here {
		return handover{}, fault.As(fault.Rejected, fmt.Errorf("the repository does not ask for app %s on this host", x.req.App))
	}
	rec := x.worker.read()
	cand, err := x.worker.candidate(ctx, x.catalog, rec)
	if err != nil {
		return handover{}, err
	}
	preview := x.agent.preview(ctx, x.catalog, x.worker, rec)
	h := handover{gates: gates{want: cand.set.Objects, rec: rec, preview: &preview}}
	h.gated, h.all = routesIn(cand.set.Objects)
	return h, nil
}

// told says what becomes of the services' ports, and of the other services.
func (h handover) told(services []string, way handing) (text string, does bool) {
	if len(services) == 0 {
		return way.none, false
	}
	var lines []string
	for _, name := range services {
		line, done := way.says(h, name)
		lines, does = append(lines, line), does || done
	}
	if does && h.more(services) {
		lines = append(lines, "the pass does all that the plan says, also for other services")
	}
	return strings.Join(lines, "\n"), does
}

// more tells whether the plan changes other services too.
func (h handover) more(services []string) bool {
	return slices.ContainsFunc(h.preview.Services, func(s ServicePlan) bool { return s.How != apply.Unchanged && !slices.Contains(services, s.Group) })
}

// gap is the one that the plan announces for a service, in seconds.
func (h handover) gap(service string) float64 {
	i := slices.IndexFunc(h.preview.Services, func(s ServicePlan) bool { return s.Group == service })
	if i < 0 {
		return 0
	}
	return h.preview.Services[i].Gap.D().Seconds()
}

// inGit is the error of what the repository does not ask for: what it says of
// whose gate, and what to write there instead.
func (x *act) inGit(says, whose, service, write string) error {
	err := fmt.Errorf("the repository %s for %s of app %s: nothing was done", says, whose, x.req.App)
	return fault.Hint(fault.As(fault.Rejected, err), fmt.Sprintf("write below services.%s in %s: x-syncd: %s, and merge that; the plan says the gap",
		service, x.catalog.apps[x.req.App].File(x.catalog.tracked), write))
}

// unknown is the error of a service that the app does not have.
func (x *act) unknown(service string, all []string) error {
	err := fmt.Errorf("app %s has no service %q", x.req.App, service)
	return fault.Hint(fault.As(fault.Rejected, err), "its services: "+listed(all))
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

// inTime is the error of an app whose window is closed: a pass would wait for it.
func inTime(p Preview) error {
	if p.Window == nil || p.Window.Open {
		return nil
	}
	err := fmt.Errorf("app %s waits for its window: %s", p.App, p.Window)
	return fault.Hint(fault.As(fault.Blocked, err), "to go through it: syncd sync "+p.App+" --force --reason TEXT")
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
