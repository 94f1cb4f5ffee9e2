package reconcile_test

import (
	"testing"
	"time"

	"syncd.io/syncd/internal/reconcile"
)

// What phases add up is there by itself too, in the order in which it was.
func TestStretchesAddUpToThePhases(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.merge(map[string]appFiles{"shop": watched(time.Minute, healthy("v1"))})
		res := w.ends(reconcile.Applied)
		sum, last := map[string]time.Duration{}, res.Started
		for _, s := range res.Stretches {
			sum[s.Phase] += s.Took
			if ended := s.Begun.Add(s.Took); ended.Before(last) {
				t.Errorf("%s ended at %s, before what is told ahead of it", s.Phase, ended)
			} else {
				last = ended
			}
		}
		if sum["soak"] != res.Phases.Soak.D() || sum["soak"] < time.Minute || sum["rollout"] != res.Phases.Rollout.D() || sum["observe"] != res.Phases.Observe.D() {
			t.Errorf("stretches %v, phases %+v", res.Stretches, res.Phases)
		}
	})
}
