package reconcile_test

import (
	"fmt"
	"strings"
	"testing"

	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// publishing is a service that publishes ports ("8080", "53/udp", "8000-8002"),
// with more of its spec, and claims besides those of its ports.
func publishing(image, more string, ports []string, claims ...string) []resource.Object {
	var list []string
	o := one("web", "")
	for _, p := range ports {
		published, protocol, given := strings.Cut(p, "/")
		if !given {
			protocol = "tcp"
		}
		list = append(list, fmt.Sprintf(`{"published":%q,"target":80,"protocol":%q}`, published, protocol))
		value := "0.0.0.0:" + published + "/" + protocol
		if strings.Contains(published, "-") {
			value += " for web/1"
		}
		o.Claims = append(o.Claims, resource.Claim{Kind: resource.ClaimPort, Value: value})
	}
	for _, c := range claims {
		kind, value, _ := strings.Cut(c, " ")
		o.Claims = append(o.Claims, resource.Claim{Kind: resource.ClaimKind(kind), Value: value})
	}
	o.Spec = fmt.Appendf(nil, `{"service":"web","image":%q,"ports":[%s]%s}`, image, strings.Join(list, ","), more)
	return []resource.Object{o}
}

// routed adds a gate for port 8080; more is of its spec.
func routed(objects []resource.Object, more string) []resource.Object {
	return append(objects, resource.Object{
		Key: resource.Key{Kind: "route", Namespace: "web", Name: "8080"}, Group: "web",
		Claims: []resource.Claim{{Kind: resource.ClaimPort, Value: "0.0.0.0:8080/tcp"}},
		Spec:   []byte(`{"service":"web","port":{"published":"8080","target":80,"protocol":"tcp"},` + more + `}`),
	})
}

func inNetwork(objects []resource.Object, internal bool) []resource.Object {
	return append(objects, resource.Object{Key: resource.Key{Kind: "network", Name: "back"}, Spec: fmt.Appendf(nil, `{"name":"shop_back","internal":%t}`, internal)})
}

// gapSaid is what a plan says of the gap and the gates of its only service.
func gapSaid(p reconcile.Preview) string {
	if len(p.Services) != 1 {
		return fmt.Sprintf("%d services, %s", len(p.Services), p.Error)
	}
	s := p.Services[0]
	lines := []string{string(s.How)}
	if s.Gap > 0 {
		lines = append(lines, strings.Join(strings.Fields(fmt.Sprint("gap ", s.Gap, " ", s.Where)), " "))
	}
	if s.Remedy != "" {
		lines = append(lines, s.Remedy)
	}
	return strings.Join(append(lines, s.Gates...), "; ")
}

// A plan says how long a port is away, and what would close that gap: only where
// something would.
func TestAPlanSaysWhatClosesAGap(t *testing.T) {
	tcp, http := `"mode":"tcp"`, `"mode":"http"`
	on := func(network string) string { return `,"networks":[{"network":"back","name":"` + network + `"}]` }
	for name, c := range map[string]struct {
		before, after []resource.Object
		want          string
	}{
		"a fixed port":            {publishing("v1", "", []string{"8080"}), publishing("v2", "", []string{"8080"}), "stop-first; gap 300ms; x-syncd: {gate: tcp} would close it"},
		"on a network":            {inNetwork(publishing("v1", on("shop_back"), []string{"8080"}), false), inNetwork(publishing("v2", on("shop_back"), []string{"8080"}), false), "stop-first; gap 300ms; x-syncd: {gate: tcp} would close it"},
		"on an internal one":      {inNetwork(publishing("v1", on("shop_back"), []string{"8080"}), true), inNetwork(publishing("v2", on("shop_back"), []string{"8080"}), true), "stop-first; gap 300ms; no gate can close it: it is on internal networks only, and these are not published"},
		"UDP":                     {publishing("v1", "", []string{"53/udp"}), publishing("v2", "", []string{"53/udp"}), "stop-first; gap 300ms; no gate can close it: port 53/udp is not TCP"},
		"TCP and UDP":             {publishing("v1", "", []string{"53/udp", "8080"}), publishing("v2", "", []string{"53/udp", "8080"}), "stop-first; gap 300ms; x-syncd: {gate: tcp} would let new connections to port 8080 wait meanwhile"},
		"a full range":            {publishing("v1", "", []string{"8000-8002"}), publishing("v2", "", []string{"8000-8002"}), "stop-first; gap 300ms; no gate can close it: each instance publishes its own of 8000-8002"},
		"the host's network":      {publishing("v1", `,"network_mode":"host"`, nil, "port host network of web"), publishing("v2", `,"network_mode":"host"`, nil, "port host network of web"), "stop-first; gap 300ms; no gate can close it: it is on the host's network"},
		"a single writer":         {publishing("v1", "", []string{"8080"}, "writer data for web"), publishing("v2", "", []string{"8080"}, "writer data for web"), "stop-first; gap 300ms; x-syncd: {gate: tcp} would let new connections to port 8080 wait meanwhile"},
		"a writer without a port": {publishing("v1", "", nil, "writer data for web"), publishing("v2", "", nil, "writer data for web"), "stop-first; gap 300ms"},
		"behind a gate":           {routed(publishing("v1", "", nil), tcp), routed(publishing("v2", "", nil), tcp), "start-first"},
		"held by a gate":          {routed(publishing("v1", "", nil, "writer data for web"), tcp), routed(publishing("v2", "", nil, "writer data for web"), tcp), "stop-first; gap 300ms; the gate lets new connections wait"},
		"held but for one":        {routed(publishing("v1", "", []string{"53/udp"}), tcp), routed(publishing("v2", "", []string{"53/udp"}), tcp), "stop-first; gap 300ms; the gate lets new connections wait, but port 53/udp is not TCP"},
		"a gate takes over":       {publishing("v1", "", []string{"8080"}), routed(publishing("v1", "", nil), tcp), "start-first; gap 1.2s on port 8080, while a gate takes it over; port 8080 goes through a gate: the application sees the gate's address (PROXY protocol v2 tells the client's, with proxyProtocol: true)"},
		"and holds it":            {publishing("v1", "", []string{"8080"}, "writer data for web"), routed(publishing("v1", "", nil, "writer data for web"), http), "stop-first; gap 1.2s on port 8080, while a gate takes it over; then it lets new connections wait; port 8080 goes through a gate: the application sees the gate's address, and the client's in X-Forwarded-For, -Proto and -Host"},
		"PROXY protocol":          {routed(publishing("v1", "", nil), tcp), routed(publishing("v1", "", nil), tcp+`,"proxy_protocol":true`), "unchanged; port 8080 goes through a gate: the application gets each client's address by PROXY protocol v2, and has to read that first"},
		"its name":                {routed(publishing("v1", "", nil), tcp), routed(publishing("v1", "", nil), tcp+`,"aliases":{"shop_default":["web"]}`), "unchanged; port 8080 goes through a gate: the application sees the gate's address (PROXY protocol v2 tells the client's, with proxyProtocol: true); in its networks the gate answers to web, too, and the containers do not any more: nobody does for about a second"},
		"from the first":          {nil, routed(publishing("v1", "", nil), http), "new; port 8080 goes through a gate: the application sees the gate's address, and the client's in X-Forwarded-For, -Proto and -Host"},
		"a gate gives back":       {routed(publishing("v1", "", nil), tcp), publishing("v1", "", []string{"8080"}), "start-first; gap 300ms on port 8080, while its gate gives it back, besides up to 10s in which what is in flight at the gate may end; port 8080 goes through no gate any more: the application sees its clients' addresses"},
		"a port goes":             {routed(publishing("v1", "", nil), tcp), publishing("v2", "", nil), "start-first"},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func(t *testing.T, w *world) {
				if c.before != nil {
					w.repo.shop(c.before...)
					w.ends(reconcile.Applied)
				}
				w.repo.shop(c.after...)
				previews, err := w.agent.Plan(t.Context(), reconcile.PlanRequest{})
				w.must(err)
				if got := gapSaid(previews[0]); got != c.want {
					t.Errorf("the plan says\n%s\nwant\n%s\n%s", got, c.want, previews[0].Plan)
				}
			})
		})
	}
}
