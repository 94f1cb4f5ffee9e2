package endtoend_test

import (
	"fmt"
	"strings"
	"testing"

	"syncd.io/syncd/internal/reconcile"
)

// halfGated is a service whose port a gate can serve, and one whose it cannot.
const halfGated = `
services:
  web:
    image: IMAGE
    environment: {APP_VERSION: "1"}
    ports: ["PORT:8080"]
    PROBE
  dns:
    image: IMAGE
    environment: {APP_VERSION: "1"}
    ports: ["UDP:8080/udp"]
    PROBE
`

// planOf is what the agent would do now, in the words of one service.
func (h *host) planOf(service string) (reconcile.Preview, string) {
	h.t.Helper()
	agent, done := h.agent()
	defer done()
	previews, err := agent.Plan(h.t.Context(), reconcile.PlanRequest{Apps: []string{h.project}})
	h.must(err)
	for _, s := range previews[0].Services {
		if s.Group == service {
			return previews[0], strings.Join(append([]string{fmt.Sprintf("%s, gap %s %s %s", s.How, s.Gap, s.Where, s.Remedy)}, s.Gates...), "; ")
		}
	}
	h.t.Fatalf("the plan says nothing of %s: %+v", service, previews[0])
	return reconcile.Preview{}, ""
}

// An app asks for gates as a whole: they take over what they can serve, with the
// gap that the plan says before, and give it back again.
func TestAnAppsGatesTakePortsOverAndGiveThemBack(t *testing.T) {
	h := newHost(t)
	port, udp := freePort(t), freePort(t)
	compose := strings.NewReplacer("PORT", port, "UDP", udp).Replace(halfGated)
	h.deploy(compose)
	h.want(h.sync(), reconcile.Applied)
	dns := h.one("dns").ID
	step := func(what, settings string, words ...string) {
		t.Helper()
		h.write(".syncd.yaml", settings+"rollout: {soak: 500ms, timeout: 20s}\n")
		h.merge(what)
		p, got := h.planOf("web")
		all := got + "\n" + strings.Join(p.Notes, "\n")
		for _, word := range words {
			if !strings.Contains(all, word) {
				t.Errorf("%s: the plan lacks %q:\n%s", what, word, all)
			}
		}
		o := watched(t, port)
		res := h.want(h.sync(), reconcile.Applied)
		said := p.Services[len(p.Services)-1].Gap
		if said == 0 || len(res.Gaps) != 1 {
			t.Fatalf("%s: the plan says a gap of %s, and it was %v", what, said, res.Gaps)
		}
		o.over(fmt.Sprintf("%s: said %s", what, said), res.Gaps[0].Took.D())
		h.settled()
	}
	step("take over", "gate: tcp\n", "gap 1.2s on port "+port+", while a gate takes it over", "the application sees the gate's address",
		"service dns: ports: port 8080/udp bypasses the gate (gate: tcp in "+h.project+"/.syncd.yaml): it is not TCP")
	step("give back", "", "on port "+port+", while its gate gives it back", "goes through no gate any more")
	if h.one("dns").ID != dns {
		t.Error("the service that no gate can serve was replaced")
	}
}
