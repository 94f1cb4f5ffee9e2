package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// adopt takes over what somebody else started: Compose, kubectl, another agent.
// Without Confirm it only says what would stay untouched and what would be
// replaced.
func (x *act) adopt(ctx context.Context) (ActResult, error) {
	idiom := x.agent.idiom()
	origin, err := x.origin(ctx)
	if err != nil {
		return ActResult{}, fmt.Errorf("look at what runs as %s: %w", x.req.App, err)
	}
	if len(origin.Refs) == 0 && origin.Mark.ID == "" && !x.worker.read().Released {
		err := fmt.Errorf(idiom.none, x.req.App)
		return ActResult{}, fault.Hint(fault.As(fault.Rejected, err), fmt.Sprintf(idiom.noneHint, x.req.App))
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
	if origins, ok := x.agent.opts.Engine.(Origins); ok {
		if err := origins.TakeOver(ctx, x.req.App); err != nil {
			return ActResult{}, fmt.Errorf("take over app %s: %w", x.req.App, err)
		}
	}
	return x.pass(ctx, fmt.Sprintf(idiom.adopted, len(origin.Refs), x.req.App))
}

// origin is what an adoption takes over: as the engine knows it by the app's name,
// or what stands in the slots that the app wants and is not its own.
func (x *act) origin(ctx context.Context) (apply.Origin, error) {
	if origins, ok := x.agent.opts.Engine.(Origins); ok {
		return origins.Origin(ctx, x.req.App)
	}
	if x.worker.questions.target == nil {
		return apply.Origin{}, fault.As(fault.Unreachable, fmt.Errorf("no %s could be reached", x.agent.idiom().place))
	}
	rec := x.worker.read()
	cand, err := x.worker.candidate(ctx, x.catalog, rec)
	if err != nil {
		return apply.Origin{}, err
	}
	pairs, err := x.worker.observed(ctx, x.catalog, x.worker.questions.observe, cand.set.Objects, ownedBy(rec, x.catalog))
	if err != nil {
		return apply.Origin{}, err
	}
	return strangers(pairs), nil
}

// strangers are the instances in wanted slots that are not the app's own.
func strangers(pairs []resource.Pair) apply.Origin {
	var origin apply.Origin
	for _, p := range pairs {
		for _, live := range p.Live {
			if p.Want == nil || !live.Foreign {
				continue
			}
			origin.Refs = append(origin.Refs, live.Ref)
			if live.Maker != "" && !slices.Contains(origin.Makers, live.Maker) {
				origin.Makers = append(origin.Makers, live.Maker)
			}
		}
	}
	slices.Sort(origin.Makers)
	return origin
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
		return fault.Hint(fault.As(fault.Rejected, err), x.agent.idiom().meanwhile+"; look again: syncd adopt "+x.req.App)
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
	text := warning(origin) + x.keepers(origin) + x.agent.idiom().adoption(touched(preview.Plan))
	return ActResult{Text: text, Preview: &preview}, nil
}

// touched counts what a plan does to whom.
func touched(plan apply.Plan) touches {
	var t touches
	for _, s := range plan.Services {
		t.stay += s.Of - s.Slots
		switch s.How {
		case apply.InPlace: // a name, a limit: what runs goes on running
			t.mend += s.Slots
		case apply.Fresh:
			t.fresh += s.Slots
		default:
			t.anew += s.Slots
		}
	}
	return t
}

// keepers says who made what is taken over, and how they are kept from putting
// their own back; empty where nothing is known of them.
func (x *act) keepers(origin apply.Origin) string {
	var b strings.Builder
	knows, _ := x.agent.opts.Engine.(Keepers)
	for _, maker := range origin.Makers {
		fmt.Fprintf(&b, "some of it is made by %s", maker)
		if knows != nil {
			if how := knows.Suspend(maker); how != "" {
				b.WriteString(", which would put its own back: first, " + how)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
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
	text := fmt.Sprintf(x.agent.idiom().released, x.req.App)
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
