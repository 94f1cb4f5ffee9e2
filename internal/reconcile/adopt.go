package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/state"
)

// adopt takes over what Compose started, or another agent. Without Confirm it
// only says what would stay untouched and what would be replaced.
func (x *act) adopt(ctx context.Context) (ActResult, error) {
	origins, ok := x.agent.opts.Engine.(Origins)
	if !ok {
		return ActResult{}, fault.As(fault.Rejected, fmt.Errorf("this target cannot adopt"))
	}
	origin, err := origins.Origin(ctx, x.req.App)
	if err != nil {
		return ActResult{}, fmt.Errorf("look at what runs as %s: %w", x.req.App, err)
	}
	if len(origin.Refs) == 0 && origin.Mark.ID == "" && !x.worker.read().Released {
		err := fmt.Errorf("nothing that runs as project %s waits to be taken over", x.req.App)
		return ActResult{}, fault.Hint(fault.As(fault.Rejected, err), "see: docker ps --filter label=com.docker.compose.project="+x.req.App)
	}
	take := func(rec *state.Record) error {
		rec.Adopted = slices.Concat(rec.Adopted, origin.Refs)
		rec.Released = false
		if rec.HostDir == "" {
			rec.HostDir = origin.Dir
		}
		return nil
	}
	if !x.req.Confirm {
		return x.previewAdoption(ctx, origin, take)
	}
	if err := x.asPrinted(ctx, origin, take); err != nil {
		return ActResult{}, err
	}
	if err := x.change(ctx, "adopt", false, take); err != nil {
		return ActResult{}, err
	}
	// The others are told last: a crash before that leaves them what they have.
	if err := origins.TakeOver(ctx, x.req.App); err != nil {
		return ActResult{}, fmt.Errorf("take over app %s: %w", x.req.App, err)
	}
	return x.pass(ctx, fmt.Sprintf("adopted %d containers of %s", len(origin.Refs), x.req.App))
}

// asPrinted refuses to adopt where that would do something else by now than what
// a person was shown and agreed to.
func (x *act) asPrinted(ctx context.Context, origin apply.Origin, take func(*state.Record) error) error {
	if x.req.Plan == "" {
		return nil
	}
	now, err := x.previewAdoption(ctx, origin, take)
	if err != nil {
		return err
	}
	if now.Preview.Digest != x.req.Plan {
		err := fmt.Errorf("adopt app %s: plan %s is no longer what would be done", x.req.App, x.req.Plan)
		return fault.Hint(fault.As(fault.Rejected, err), "a commit or a container came meanwhile; look again: syncd adopt "+x.req.App)
	}
	return nil
}

func (x *act) previewAdoption(ctx context.Context, origin apply.Origin, take func(*state.Record) error) (ActResult, error) {
	rec := x.worker.read()
	if err := take(&rec); err != nil {
		return ActResult{}, err
	}
	if origin.Mark.ID != "" { // as it will be
		rec.Adopted = append(rec.Adopted, origin.Mark)
	}
	// What runs may mount the very files that Git has: they are compared by
	// content, which therefore has to be there.
	if cand, err := x.worker.candidate(ctx, x.catalog, rec); err == nil {
		if err := x.agent.materialise(ctx, cand); err != nil {
			return ActResult{}, err
		}
	}
	preview := x.agent.preview(ctx, x.catalog, x.worker, rec)
	stay, mend, replace := 0, 0, 0
	for _, s := range preview.Plan.Services {
		stay += s.Of - s.Slots
		if s.How == apply.InPlace { // a name, a limit: what runs goes on running
			mend += s.Slots
		} else {
			replace += s.Slots
		}
	}
	text := fmt.Sprintf("%d containers stay untouched, %d are mended without a restart, %d would be replaced", stay, mend, replace)
	return ActResult{Text: warning(origin) + text, Preview: &preview}, nil
}

// warning says from whom an adoption takes the app; empty where no other agent
// has a part in it.
func warning(origin apply.Origin) string {
	if len(origin.Agents) == 0 || origin.Held {
		return ""
	}
	return fmt.Sprintf("it is kept by another syncd agent (state directory ID %s): if that one still runs, stop it first, or it will report the app as blocked\n",
		strings.Join(origin.Agents, ", "))
}

// release hands the app back: nothing is stopped, and syncd leaves it alone.
func (x *act) release(ctx context.Context) (ActResult, error) {
	text := fmt.Sprintf("nothing is stopped; syncd leaves %s alone from now on, and plain Compose can go on with it", x.req.App)
	if !x.req.Confirm {
		return x.previewRelease(ctx, text)
	}
	err := x.change(ctx, "release", true, func(rec *state.Record) error {
		rec.Remains = mountsOf(*rec) // what goes on running goes on mounting them
		rec.Released, rec.Attempt, rec.Good, rec.Past, rec.Adopted = true, nil, nil, nil, nil
		return nil
	})
	if err == nil {
		err = x.agent.handBack(ctx, x.req.App)
	}
	if err != nil {
		return ActResult{}, err
	}
	gates, err := x.agent.leftGates(ctx, x.req.App)
	return ActResult{Text: text + gates}, err
}

// previewRelease says besides to whom goes what was taken over, and what becomes
// of the gates.
func (x *act) previewRelease(ctx context.Context, text string) (ActResult, error) {
	gates, err := x.agent.leftGates(ctx, x.req.App)
	if err != nil {
		return ActResult{}, fmt.Errorf("look at the gates of %s: %w", x.req.App, err)
	}
	text += gates
	origins, ok := x.agent.opts.Engine.(Origins)
	if !ok {
		return ActResult{Text: text}, nil
	}
	origin, err := origins.Origin(ctx, x.req.App)
	if err != nil {
		return ActResult{}, fmt.Errorf("look at what runs as %s: %w", x.req.App, err)
	}
	if origin.Held && len(origin.Agents) > 0 {
		text += fmt.Sprintf("\nwhat another syncd agent (state directory ID %s) made of it is that one's again, if it still runs", strings.Join(origin.Agents, ", "))
	}
	return ActResult{Text: text}, nil
}

// handBack lets the other agents on the target know that the app is this one's
// no more.
func (a *Agent) handBack(ctx context.Context, app string) error {
	origins, ok := a.opts.Engine.(Origins)
	if !ok {
		return nil
	}
	if err := origins.HandBack(ctx, app); err != nil {
		return fmt.Errorf("hand back app %s: %w", app, err)
	}
	return nil
}

// letGo forgets an app that is not asked for here any more and that another
// agent has taken over: nothing of it is left to remove. Its files stay, for what
// was taken over may mount them.
func (p *pass) letGo(taken error) verdict {
	remains := mountsOf(p.record)
	p.forgetApp()
	p.record.Remains = remains
	return verdict{outcome: Unchanged, reason: fmt.Sprintf("%s; %v", p.whyVanished(), taken)}
}
