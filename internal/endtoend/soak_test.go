package endtoend_test

import (
	"strings"
	"testing"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/reconcile"
)

// soaks waits until the old container of a change is gone: all that is left is the
// soak.
func (h *host) soaks(mark int) {
	h.t.Helper()
	h.await(mark, "the rollout is through", func(e reconcile.Event) bool {
		return e.Step != nil && e.Step.Step.Verb == apply.Remove && e.Step.Phase == apply.Done
	})
}

// An engine that restarts takes its containers down with it, also those that are
// watched in their soak: the revision is watched anew, and becomes good.
func TestEngineRestartedInTheSoakBlamesNobody(t *testing.T) {
	t.Parallel()
	p := newPrivate(t)
	for name, compose := range map[string]string{
		"that revives containers":  detached,
		"that leaves them stopped": strings.Replace(detached, "restart: always", `restart: "no"`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			h := p.host(t)
			h.write(".syncd.yaml", "rollout: {soak: 6s, timeout: 60s}\n")
			h.deploy(compose)
			_, stop := h.run()
			h.awaitOutcome(0, reconcile.Applied)
			mark := h.mark()
			commit := h.deploy(version(compose, "2"))
			h.soaks(mark)
			p.stop()
			p.start()
			h.awaitOutcome(mark, reconcile.Unreachable)
			h.awaitOutcome(mark, reconcile.Applied)
			stop()
			for _, e := range h.since(mark) {
				if e.Result != nil && e.Result.Outcome != reconcile.Unreachable && e.Result.Outcome != reconcile.Applied && e.Result.Outcome != reconcile.Unchanged {
					t.Errorf("a pass ended %s: %s", e.Result.Outcome, e.Result.Reason)
				}
			}
			rec := h.record()
			if len(rec.Quarantine) > 0 || rec.Good.Revision.Commit != commit {
				t.Errorf("good is %s, quarantine is %+v: want %s good, and nobody blamed", rec.Good.Revision.Short(), rec.Quarantine, commit[:10])
			}
			if c := h.one("web"); env(c, "APP_VERSION") != "2" || !c.State.Running {
				t.Errorf("version %s is %s, want 2 running", env(c, "APP_VERSION"), c.State.Status)
			}
			h.settled()
		})
	}
}
