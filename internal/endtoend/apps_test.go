package endtoend_test

import (
	"strings"
	"testing"

	"syncd.io/syncd/internal/reconcile"
)

func TestDependsOnBetweenApps(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	top := h.project + "-above"
	h.place(top+"/.syncd.yaml", "rollout: {soak: 500ms, timeout: 20s}\ndependsOn: [PROJECT]\n")
	h.place(top+"/compose.yaml", web)
	h.deploy(sick)
	a, closeAgent := h.agent()
	results := h.passOver(a, h.project, top)
	closeAgent()
	h.want(results[0], reconcile.Halted)
	h.want(results[1], reconcile.Blocked)
	if !strings.Contains(results[1].Reason, h.project) {
		t.Errorf("the reason does not name the app that it waits for: %s", results[1].Reason)
	}
	h.deploy(web)
	h.run()
	h.await(0, "the app above is applied", func(e reconcile.Event) bool {
		return e.App == top && e.Result != nil && e.Result.Outcome == reconcile.Applied
	})
}

func TestFailureOfOneAppLeavesTheOtherAlone(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	other := h.project + "-other"
	h.place(other+"/compose.yaml", web)
	h.place(other+"/.syncd.yaml", "rollout: {soak: 500ms, timeout: 20s}\n")
	h.deploy(web)
	a, closeAgent := h.agent()
	defer closeAgent()
	for _, res := range h.passOver(a, h.project, other) {
		h.want(res, reconcile.Applied)
	}
	h.place(other+"/compose.yaml", version(web, "2"))
	h.deploy(sick)
	results := h.passOver(a, h.project, other)
	h.want(results[0], reconcile.RolledBack)
	h.want(results[1], reconcile.Applied)
}
