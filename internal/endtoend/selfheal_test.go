package endtoend_test

import (
	"slices"
	"strings"
	"testing"

	"syncd.io/syncd/internal/reconcile"
)

// reported waits for a pass after mark that finds this difference, and only says
// so.
func (h *host) reported(mark int, want string) reconcile.Result {
	h.t.Helper()
	e := h.await(mark, "a report of "+want, func(e reconcile.Event) bool {
		return e.Result != nil && e.Result.Outcome == reconcile.Pending && len(e.Result.Report.Different()) == 1 && says(found(h.t, e.Result.Report), want)
	})
	return *e.Result
}

// Without selfHeal, each kind of drift is told with its field, in every place
// where one looks, and nothing is done about it; until somebody asks for a pass.
func TestWithoutSelfHealDriftIsRepairedOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write(".syncd.yaml", "rollout: {soak: 500ms, timeout: 20s}\nsync: {selfHeal: false}\n")
	h.deploy(drifting)
	a, _ := h.run()
	h.awaitOutcome(0, reconcile.Applied)
	for _, c := range byHands() {
		well := t.Run(c.name, func(t *testing.T) {
			h.t = t
			was := h.one("web").ID
			mark := h.mark()
			h.byHand(c, was)
			h.reported(mark, c.want)
			h.untouched(func() {
				mark := h.mark()
				a.Look()
				res := h.reported(mark, c.want)
				if !strings.HasPrefix(res.Reason, "drift: container/web/") || !strings.Contains(res.Hint, "syncd sync "+h.project) {
					t.Errorf("the reason is %q, the hint %q: want what differs, and how it is repaired", res.Reason, res.Hint)
				}
				h.toldOf(a, c.want)
			})

			res := h.want(h.pass(a), reconcile.Applied)
			if !strings.HasPrefix(res.Reason, "repaired drift") {
				t.Errorf("the reason of the pass that was asked for is %q", res.Reason)
			}
			if is := h.one("web").ID; (is != was) != c.another {
				t.Errorf("another container: %t, want %t", is != was, c.another)
			}
			h.want(h.pass(a), reconcile.Unchanged)
		})
		if h.t = t; !well {
			return // what is left would be found by the next
		}
	}
}

// toldOf fails the test unless status and explain name the difference.
func (h *host) toldOf(a *reconcile.Agent, want string) {
	h.t.Helper()
	st, err := a.Status(h.t.Context(), []string{h.project})
	h.must(err)
	s, words := st.Apps[0], strings.Fields(want)
	if s.Status != reconcile.OutOfSync || len(s.Drift) != 1 {
		h.t.Fatalf("the app is %s with drift %q, want OutOfSync and one", s.Status, s.Drift)
	}
	for _, word := range append(words, "container/web/") {
		if !strings.Contains(s.Drift[0], word) {
			h.t.Errorf("status says %q, want %q in it", s.Drift[0], word)
		}
	}
	e, err := a.Explain(h.t.Context(), h.project)
	h.must(err)
	text := strings.Join(e.Lines, "\n")
	if !strings.Contains(text, words[len(words)-1]) || e.Actor != "an operator" || !slices.Contains(e.Type, "syncd sync "+h.project) {
		h.t.Errorf("explain says %q, %s has to act, type %q", text, e.Actor, e.Type)
	}
}
