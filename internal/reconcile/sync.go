package reconcile

import (
	"context"
	"sync"
)

// Sync looks at the repository, passes once over the named apps (over all where
// none is named) and returns how each ended, in name order. hear gets the steps
// as they happen; nil is silent.
func (a *Agent) Sync(ctx context.Context, req SyncRequest, hear func(Event)) ([]Result, error) {
	c, err := a.look(ctx)
	if err != nil {
		return nil, err
	}
	workers, err := a.known(req.Apps)
	if err != nil {
		return nil, err
	}
	stop := a.listenIn(hear)
	defer stop()
	return a.passAll(a.lasting(ctx), c, a.byDependency(c, workers))
}

// lasting is the context for a pass that was asked for: under a running agent it
// does not end with the one who asked, who may have gone.
func (a *Agent) lasting(ctx context.Context) context.Context {
	if life := a.life.Load(); life != nil {
		return *life
	}
	return ctx
}

// passAll passes over each wave of apps side by side, one wave after the other.
func (a *Agent) passAll(ctx context.Context, c *catalog, waves [][]*worker) ([]Result, error) {
	var all []Result
	for _, wave := range waves {
		results := make([]Result, len(wave))
		errs := make([]error, len(wave))
		var group sync.WaitGroup
		for i, w := range wave {
			group.Go(func() { results[i], errs[i] = w.pass(ctx, c, true) })
		}
		group.Wait()
		all = append(all, results...)
		for _, err := range errs {
			if err != nil {
				return all, err
			}
		}
	}
	return all, nil
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
