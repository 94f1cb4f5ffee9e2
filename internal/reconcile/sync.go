package reconcile

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// Sync looks at the repository, passes over the named apps (over all where none is
// named) and returns how each ended, in name order, those that need others after
// them. hear gets the steps as they happen; nil is silent.
func (a *Agent) Sync(ctx context.Context, req SyncRequest, hear func(Event)) ([]Result, error) {
	wants, err := req.wish()
	if err != nil {
		return nil, err
	}
	a.askAnew()
	if req.AcceptRewrite != "" {
		if err := a.acceptRewrite(ctx, req); err != nil {
			return nil, err
		}
	}
	c, err := a.look(ctx)
	if err != nil {
		return nil, err
	}
	workers, err := a.known(req.Apps)
	if err != nil {
		return nil, err
	}
	if len(req.Apps) == 0 {
		workers = present(c, workers)
	}
	stop := a.listenIn(hear)
	defer stop()
	a.preemptAll(ctx, workers, c, wants)
	return a.passAll(a.lasting(ctx), c, a.byDependency(c, workers), wants)
}

// wish is what the request asks of a pass. Errors: Rejected, for force without a
// reason, and for a reason with nothing that it could be one for.
func (r SyncRequest) wish() (wish, error) {
	reason := resource.Harmless(r.Reason, maxReason)
	switch {
	case !r.Force && (r.Reason == "" || r.AcceptRewrite != ""):
		return wish{asked: true}, nil
	case !r.Force:
		err := errors.New("a reason is given, and nothing is forced")
		return wish{}, fault.Hint(fault.As(fault.Rejected, err), "a reason belongs to --force, which goes through a closed window, or to --accept-rewrite")
	case strings.TrimSpace(reason) == "":
		err := errors.New("going through a closed window needs a reason")
		return wish{}, fault.Hint(fault.As(fault.Rejected, err), "say why, for those who read the history: --reason TEXT")
	}
	return wish{asked: true, force: &force{who: cmp.Or(r.Who, "somebody"), reason: reason}}, nil
}

// maxReason bounds a person's reason in the record, in bytes.
const maxReason = 300

// lasting is the context for a pass that was asked for: under a running agent it
// does not end with the one who asked, who may have gone.
func (a *Agent) lasting(ctx context.Context) context.Context {
	if life := a.life.Load(); life != nil {
		return *life
	}
	return ctx
}

// passAll passes over each wave of apps side by side, one wave after the other,
// and then once more over the apps that something held up: what another app of the
// run gave up (a host port) or became (good) may be what it was.
func (a *Agent) passAll(ctx context.Context, c *catalog, waves [][]*worker, wants wish) ([]Result, error) {
	many := 0
	for _, wave := range waves {
		many += len(wave)
	}
	results := make(map[*worker]Result, many)
	err := a.passWaves(ctx, c, waves, wants, results)
	if err == nil && changedAny(results) {
		err = a.passWaves(ctx, c, heldUp(waves, results), wants, results)
	}
	all := make([]Result, 0, len(results))
	for _, w := range slices.Concat(waves...) {
		if res, passed := results[w]; passed {
			all = append(all, res)
		}
	}
	return all, err
}

// passWaves writes into results how each pass ended.
func (a *Agent) passWaves(ctx context.Context, c *catalog, waves [][]*worker, wants wish, results map[*worker]Result) error {
	for _, wave := range waves {
		ends := make([]Result, len(wave))
		errs := make([]error, len(wave))
		var group sync.WaitGroup
		for i, w := range wave {
			group.Go(func() { ends[i], errs[i] = w.pass(ctx, c, wants) })
		}
		group.Wait()
		for i, w := range wave {
			results[w] = ends[i]
		}
		for _, err := range errs { // the first; the others most often say the same
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func changedAny(results map[*worker]Result) bool {
	for _, res := range results {
		if res.Outcome == Applied || res.Outcome == RolledBack {
			return true
		}
	}
	return false
}

// heldUp returns the apps that ended blocked, but for those that wait for a
// person's consent, or for a window.
func heldUp(waves [][]*worker, results map[*worker]Result) [][]*worker {
	var out [][]*worker
	for _, wave := range waves {
		blocked := slices.DeleteFunc(slices.Clone(wave), func(w *worker) bool {
			return results[w].Outcome != Blocked || results[w].Ask != "" || results[w].Cause == CauseWindow
		})
		if len(blocked) > 0 {
			out = append(out, blocked)
		}
	}
	return out
}

// byDependency orders apps into waves: each needs only what is in earlier ones.
// Apps that need each other in a circle share the last wave and are found
// blocked there.
func (a *Agent) byDependency(c *catalog, workers []*worker) [][]*worker {
	var waves [][]*worker
	done := map[string]bool{}
	here := map[string]bool{}
	for _, w := range workers {
		here[w.name] = true
	}
	for rest := workers; len(rest) > 0; {
		var wave, later []*worker
		for _, w := range rest {
			if ready(c, w.name, here, done) {
				wave = append(wave, w)
			} else {
				later = append(later, w)
			}
		}
		if len(wave) == 0 {
			return append(waves, later)
		}
		for _, w := range wave {
			done[w.name] = true
		}
		waves, rest = append(waves, wave), later
	}
	return waves
}

func ready(c *catalog, app string, here, done map[string]bool) bool {
	for _, need := range c.apps[app].Config.DependsOn {
		if here[need] && !done[need] {
			return false
		}
	}
	return true
}
