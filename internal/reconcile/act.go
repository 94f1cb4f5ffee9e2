package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/state"
)

// Act carries out a person's word about one app and books who said it and why.
// Verb is one of those that Actor names.
func (a *Agent) Act(ctx context.Context, verb string, req ActRequest, hear func(Event)) (ActResult, error) {
	if a.opts.ReadOnly {
		err := fmt.Errorf("%s app %s: this agent is read-only", verb, req.App)
		return ActResult{}, fault.Hint(fault.As(fault.Blocked, err), "run it without --read-only")
	}
	a.askAnew()
	c, err := a.look(ctx)
	if c == nil && !needsNoGit(verb) {
		return ActResult{}, err
	}
	if c == nil {
		c = blind()
	}
	workers, err := a.known([]string{req.App})
	if err != nil {
		return ActResult{}, err
	}
	act := &act{agent: a, worker: workers[0], catalog: c, req: req}
	stop := a.listenIn(hear)
	defer stop()
	return act.do(ctx, verb)
}

func (x *act) do(ctx context.Context, verb string) (ActResult, error) {
	switch verb {
	case "approve":
		return x.approve(ctx)
	case "rollback":
		return x.rollback(ctx)
	case "retry":
		return x.retry(ctx)
	case "pause":
		return x.pause(ctx)
	case "resume":
		return x.resume(ctx)
	case "adopt":
		return x.adopt(ctx)
	case "release":
		return x.release(ctx)
	case "gate-enable":
		return x.hand(ctx, enabling())
	case "gate-release":
		return x.hand(ctx, releasing(x.req.App))
	case "gate-upgrade":
		return x.upgradeGates(ctx)
	}
	return ActResult{}, fault.As(fault.Rejected, fmt.Errorf("there is no verb %q", verb))
}

// needsNoGit tells of the words that the record alone can carry out: a host
// whose repository is down can still be taken back, or left alone.
func needsNoGit(verb string) bool {
	return verb == "rollback" || verb == "pause" || verb == "release" || verb == "gate-upgrade"
}

// act is one person's word on its way.
type act struct {
	agent   *Agent
	worker  *worker
	catalog *catalog
	req     ActRequest
}

// change lets mutate change the record, writes it, and books it in the history.
// A pass under way is ended first where interrupt says so.
func (x *act) change(ctx context.Context, kind string, interrupt bool, mutate func(*state.Record) error) error {
	if interrupt {
		arrived := x.worker.summon()
		defer arrived()
	}
	return x.worker.own(x.agent.lasting(ctx), func() error {
		before := x.worker.record.Clone()
		if err := mutate(&x.worker.record); err != nil {
			return err
		}
		entry := state.Entry{
			App: x.req.App, At: x.agent.opts.Now(), Kind: kind, Who: x.req.Who,
			Revision: x.catalog.snapshot.Revision, Outcome: kind, Reason: x.req.Reason,
		}
		if x.req.Plan != "" && entry.Reason == "" {
			entry.Reason = "plan " + x.req.Plan
		}
		return x.worker.saveOrNot(before, entry)
	})
}

// pass runs the pass that follows from what was said.
func (x *act) pass(ctx context.Context, text string) (ActResult, error) {
	res, err := x.worker.pass(x.agent.lasting(ctx), x.catalog, wish{asked: true})
	return ActResult{Text: text, Result: &res}, err
}

// approve records consent to the plan that the last pass printed, or that
// `syncd plan` prints now.
func (x *act) approve(ctx context.Context) (ActResult, error) {
	fresh := x.agent.preview(ctx, x.catalog, x.worker, x.worker.read()) // what `syncd plan` prints now
	err := x.change(ctx, "approve", false, func(rec *state.Record) error {
		asked := map[string][]string{rec.Last.Plan: rec.Last.Consents, fresh.Digest: fresh.Plan.Consents}
		if len(asked[x.req.Plan]) == 0 {
			err := fmt.Errorf("app %s has no plan %q that waits for consent", rec.App, x.req.Plan)
			return fault.Hint(fault.As(fault.Rejected, err), approvable(x.req.App, asked))
		}
		rec.Approvals = append(rec.Approvals, state.Approval{Plan: x.req.Plan, Who: x.req.Who, At: x.agent.opts.Now()})
		return nil
	})
	if err != nil {
		return ActResult{}, err
	}
	return x.pass(ctx, "approved plan "+x.req.Plan)
}

// approvable names the plans that do wait.
func approvable(app string, asked map[string][]string) string {
	for _, plan := range slices.Sorted(maps.Keys(asked)) {
		if len(asked[plan]) > 0 {
			return fmt.Sprintf("plan %s does: %s", plan, strings.Join(asked[plan], ", "))
		}
	}
	return "nothing waits for consent; see: syncd plan " + app
}

// rollback puts an older good set back, and holds it.
func (x *act) rollback(ctx context.Context) (ActResult, error) {
	var to state.Set
	err := x.change(ctx, "rollback", true, func(rec *state.Record) error {
		set, err := pastSet(*rec, x.req.Revision)
		if err != nil {
			return err
		}
		to, x.req.Reason = set, fromTo(rec.Good, set)
		hold := &state.Hold{Who: x.req.Who, Inputs: x.wanted(ctx, *rec), At: x.agent.opts.Now(), Commit: set.Revision.Commit}
		rec.Attempt = &state.Attempt{Set: set, Started: hold.At, Back: true, Hold: hold}
		rec.Paused = nil
		return nil
	})
	if err != nil {
		return ActResult{}, err
	}
	return x.pass(ctx, "rolling back to "+to.Revision.Short())
}

// wanted is the input that a manual rollback holds off: what the repository
// asks for now.
func (x *act) wanted(ctx context.Context, rec state.Record) string {
	if x.catalog.blind && rec.Good != nil {
		return rec.Good.Inputs
	}
	cand, err := x.worker.candidate(ctx, x.catalog, rec)
	if err != nil {
		return rec.Good.Inputs
	}
	return cand.set.Inputs
}

// pastSet finds the good set of a revision; the newest past one where none is
// named.
func pastSet(rec state.Record, revision string) (state.Set, error) {
	var known []string
	for _, set := range rec.Past {
		if revision == "" || strings.HasPrefix(set.Revision.Commit, revision) {
			return set, nil
		}
		known = append(known, set.Revision.Short())
	}
	err := fmt.Errorf("app %s has no good revision %q to go back to", rec.App, revision)
	if revision == "" {
		err = fmt.Errorf("app %s has no earlier good revision", rec.App)
	}
	return state.Set{}, fault.Hint(fault.As(fault.Rejected, err), "kept are: "+listed(known)+" (rollback.keep)")
}

// retry lifts the quarantine.
func (x *act) retry(ctx context.Context) (ActResult, error) {
	lifted := 0
	err := x.change(ctx, "retry", false, func(rec *state.Record) error {
		lifted = len(rec.Quarantine)
		rec.Quarantine = nil
		if rec.Halted != "" { // it is over once what is wanted is put
			rec.Held = nil
		}
		makePeace(rec)
		return nil
	})
	if err != nil {
		return ActResult{}, err
	}
	return x.pass(ctx, fmt.Sprintf("lifted %d quarantined revision(s)", lifted))
}

// pause leaves the app alone until it is resumed, or until a time.
func (x *act) pause(ctx context.Context) (ActResult, error) {
	now := x.agent.opts.Now()
	if !x.req.Until.IsZero() && !x.req.Until.After(now) {
		err := fmt.Errorf("pause app %s: %s is over already", x.req.App, x.req.Until.Format("2006-01-02 15:04"))
		return ActResult{}, fault.Hint(fault.As(fault.Rejected, err), "--until takes a time to come, or a span like 2h")
	}
	err := x.change(ctx, "pause", true, func(rec *state.Record) error {
		rec.Paused = &state.Pause{Who: x.req.Who, Reason: x.req.Reason, At: now, Until: x.req.Until}
		return nil
	})
	if err != nil {
		return ActResult{}, err
	}
	defer x.worker.rouse() // the loop has to know when it ends
	return x.pass(ctx, "paused "+x.req.App)
}

// resume ends a pause and a manual rollback.
func (x *act) resume(ctx context.Context) (ActResult, error) {
	err := x.change(ctx, "resume", false, func(rec *state.Record) error {
		if rec.Paused == nil && rec.Held == nil {
			err := fmt.Errorf("app %s is neither paused nor held", rec.App)
			return fault.Hint(fault.As(fault.Rejected, err), "a quarantine is lifted by: syncd retry "+rec.App)
		}
		rec.Paused, rec.Held = nil, nil
		return nil
	})
	if err != nil {
		return ActResult{}, err
	}
	return x.pass(ctx, "resumed "+x.req.App)
}
