package reconcile

import (
	"context"
	"fmt"
	"slices"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
)

// restartLimit bounds a restart, which nothing else ends in its middle. It is longer than
// stopping and starting may take by their own limits, of which the grace of a stop is the
// app's.
const restartLimit = 15 * time.Minute

func (p *pass) restart(ctx context.Context, stopper apply.Stopper, pair resource.Pair, live resource.Instance) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restartLimit)
	defer cancel()
	if err := p.beginRestart(pair.Key); err != nil {
		return err
	}
	if err := stopper.Stop(ctx, pair.Key, live.Ref); err != nil {
		return fmt.Errorf("restart %s: %w", pair.Key, err)
	}
	if _, err := p.target.Put(ctx, *pair.Want); err != nil {
		return fmt.Errorf("restart %s: %w", pair.Key, err)
	}
	p.unmark(func(k resource.Key) bool { return k == pair.Key })
	return nil
}

// beginRestart writes which object is about to be stopped: after a crash, nobody would
// know who did.
func (p *pass) beginRestart(key resource.Key) error {
	if !slices.Contains(p.record.Restarting, key) {
		p.record.Restarting = append(slices.Clone(p.record.Restarting), key)
	}
	return p.save()
}

// stillRestarting goes on with that until the object is as wanted. Where the pass would
// not make it so, somebody has to hear of it: it is drift like any other.
func (p *pass) stillRestarting(report drift.Report) {
	rec := &p.record
	if len(rec.Restarting) == 0 {
		return
	}
	differs := map[resource.Key]bool{}
	for _, f := range report.Different() {
		differs[f.Key] = p.heals() && (!p.will.noHealing() || p.will.force != nil)
	}
	p.unmark(func(k resource.Key) bool { return !differs[k] })
}

// unmark forgets which objects may have been stopped.
func (p *pass) unmark(which func(resource.Key) bool) {
	rec := &p.record
	if rec.Restarting = slices.DeleteFunc(slices.Clone(rec.Restarting), which); len(rec.Restarting) == 0 {
		rec.Restarting = nil
	}
}
