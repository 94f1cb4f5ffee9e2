package reconcile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// RenewedGate is a gate that runs another program now.
type RenewedGate struct {
	Gate string `json:"gate"` // SERVICE:[ADDRESS:]PORT
	apply.Renewal
}

// String says what was done, and what it cost.
func (r RenewedGate) String() string {
	line := fmt.Sprintf("gate %s: %s, gap %.2f s", r.Gate, r.From.Step(r.To), r.Gap.D().Seconds())
	if r.Cut > 0 {
		line += fmt.Sprintf(", %d in flight cut", r.Cut)
	}
	return line
}

// upgradeGates renews the app's gates that run another program than would be
// made now, one after the other. A pass never does: what publishes a port is
// replaced when a person says so. Without Confirm it only says what it would do.
func (x *act) upgradeGates(ctx context.Context) (ActResult, error) {
	engine, err := x.gates()
	if err != nil {
		return ActResult{}, err
	}
	gates, notes, err := x.outdated(ctx, engine)
	if err != nil {
		return ActResult{}, err
	}
	lines := notes
	for _, g := range gates {
		lines = append(lines, fmt.Sprintf("gate %s: %s, gap about %.1f s, %d in flight, which get up to %s to end", g.Title(), g.Program.Step(g.Newest), apply.RenewGap.Seconds(), g.InFlight(), g.Drain))
	}
	digest := digestOf(gates)
	switch {
	case len(gates) == 0:
		lines = append(lines, "no gate of "+x.req.App+" is to be upgraded")
		return ActResult{Text: strings.Join(lines, "\n"), Idle: true}, nil
	case !x.req.Confirm:
		return ActResult{Text: strings.Join(lines, "\n"), Digest: digest}, nil
	case x.req.Plan != "" && x.req.Plan != digest:
		err := fmt.Errorf("upgrade the gates of app %s: they are no longer those that were shown", x.req.App)
		return ActResult{}, fault.Hint(fault.As(fault.Rejected, err), "look again: syncd gate upgrade "+x.req.App)
	}
	return x.renew(ctx, engine, gates)
}

// gates is the engine as one that has gates, where the app's may be touched.
// Errors: Blocked where the app is paused or released.
func (x *act) gates() (Gates, error) {
	engine, ok := x.agent.opts.Engine.(Gates)
	if !ok {
		return nil, fault.As(fault.Rejected, errors.New(x.agent.idiom().noGates))
	}
	rec := x.worker.read()
	if rec.Released {
		err := fault.As(fault.Blocked, fmt.Errorf("app %s was released: syncd leaves it alone", x.req.App))
		return nil, fault.Hint(err, "syncd adopt "+x.req.App)
	}
	if pause := paused(rec, x.agent.opts.Now()); pause != nil {
		err := fault.As(fault.Blocked, fmt.Errorf("app %s was paused by %s: %s", x.req.App, pause.Who, pause.Reason))
		return nil, fault.Hint(err, "syncd resume "+x.req.App)
	}
	return engine, nil
}

// outdated are the gates that are to be renewed; what is left out, and why, is in
// notes.
func (x *act) outdated(ctx context.Context, engine Gates) (gates []apply.Gate, notes []string, err error) {
	all, err := engine.Gates(ctx, x.req.App, true)
	if err != nil {
		return nil, nil, fmt.Errorf("look at the gates of app %s: %w", x.req.App, err)
	}
	for _, g := range all {
		switch {
		case !g.Outdated():
		case g.Foreign:
			notes = append(notes, fmt.Sprintf("gate %s is left alone: another syncd agent made it", g.Title()))
		case !g.Running:
			notes = append(notes, fmt.Sprintf("gate %s is left out: it does not run, which a pass mends: syncd sync %s", g.Title(), x.req.App))
		default:
			gates = append(gates, g)
		}
	}
	return gates, notes, nil
}

// digestOf names what would be done: which gates are renewed, to which program.
func digestOf(gates []apply.Gate) string {
	sum := sha256.New()
	for _, g := range gates {
		fmt.Fprintln(sum, g.Ref.ID, g.Program.Image, g.Newest.Image)
	}
	const length = 12
	return hex.EncodeToString(sum.Sum(nil))[:length]
}

// renew renews the gates, while no pass works on the app, and books it.
func (x *act) renew(ctx context.Context, engine Gates, gates []apply.Gate) (ActResult, error) {
	var done []RenewedGate
	ctx = x.agent.lasting(ctx)
	err := x.worker.own(ctx, func() (failed error) {
		x.worker.setBusy(true)
		defer x.worker.setBusy(false)
		begun := x.agent.opts.Now()
		done, failed = x.renewEach(ctx, engine, gates)
		return errors.Join(failed, x.bookRenewal(begun, done, failed))
	})
	x.worker.rouse() // events of the engine came while the app was ours
	text := strings.Join(linesOf(done), "\n")
	if err != nil && text != "" {
		err = fmt.Errorf("%w (before that: %s)", err, text)
	}
	return ActResult{Text: text, Renewed: done}, err
}

// renewEach renews one gate after the other, up to the first that fails.
func (x *act) renewEach(ctx context.Context, engine Gates, gates []apply.Gate) (done []RenewedGate, err error) {
	for _, g := range gates {
		x.agent.hear(Event{App: x.req.App, Text: fmt.Sprintf("gate %s is renewed: what is in flight gets up to %s to end", g.Title(), g.Drain)})
		renewal, err := engine.RenewGate(ctx, x.req.App, g.Ref)
		if err != nil {
			return done, fmt.Errorf("upgrade gate %s: %w", g.Title(), err)
		}
		done = append(done, RenewedGate{Gate: g.Title(), Renewal: renewal})
	}
	return done, nil
}

func (x *act) bookRenewal(begun time.Time, done []RenewedGate, failed error) error {
	entry := state.Entry{
		App: x.req.App, At: begun, Kind: "gate upgrade", Who: x.req.Who, Revision: x.catalog.snapshot.Revision, Outcome: string(Applied),
		Reason: strings.Join(linesOf(done), "; "), Duration: resource.Duration(x.agent.opts.Now().Sub(begun)),
	}
	if failed != nil {
		entry.Outcome, entry.Reason = string(Degraded), strings.Join(append(linesOf(done), failed.Error()), "; ")
	}
	return x.worker.saveWith(entry)
}

func linesOf(done []RenewedGate) []string {
	var out []string
	for _, r := range done {
		out = append(out, r.String())
	}
	return out
}
