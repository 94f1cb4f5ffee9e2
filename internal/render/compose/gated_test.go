package compose

import (
	"reflect"
	"strings"
	"testing"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render"
)

// byApp is a request of an app whose .syncd.yaml says gate: mode.
func byApp(t *testing.T, f files, mode string) render.Request {
	t.Helper()
	req := f.request(t)
	req.App.Config.Gate = mode
	return req
}

// routesOf are the routes of an answer, each with its mode.
func routesOf(t *testing.T, a render.Answer) []string {
	t.Helper()
	var out []string
	for _, o := range a.Objects {
		if o.Key.Kind == "route" {
			_, rest, _ := strings.Cut(string(o.Spec), `"mode":"`)
			mode, _, _ := strings.Cut(rest, `"`)
			out = append(out, o.Key.String()+" "+mode)
		}
	}
	return out
}

func TestAnAppsGateIsForAllThatOneCanServe(t *testing.T) {
	for name, c := range map[string]struct {
		mode, lines string
		routes      []string
		notes       []string // a part of each
	}{
		"a fixed port":          {"tcp", "ports: ['8080:80']", []string{"route/web/8080 tcp"}, nil},
		"some of its ports":     {"http", "ports: ['8080:80', '53:53/udp', '99']", []string{"route/web/8080 http"}, []string{"port 53/udp bypasses the gate (gate: http in app/.syncd.yaml): it is not TCP", "port 99/tcp bypasses the gate (gate: http in app/.syncd.yaml): the engine chooses its number"}},
		"its own word":          {"tcp", "ports: ['8080:80']\nx-syncd: {gate: http}", []string{"route/web/8080 http"}, nil},
		"none of its own":       {"tcp", "ports: ['8080:80']\nx-syncd: {gate: none}", nil, nil},
		"the app's none":        {"none", "ports: ['8080:80']", nil, nil},
		"the app's none, asked": {"none", "ports: ['8080:80']\nx-syncd: {gate: tcp}", []string{"route/web/8080 tcp"}, nil},
		"no port at all":        {"tcp", "expose: ['80']", nil, nil},
		"other words":           {"tcp", "ports: ['8080:80']\nx-syncd: {drain: 5s}", []string{"route/web/8080 tcp"}, nil},
		"UDP only":              {"tcp", "ports: ['53:53/udp']", nil, []string{"port 53/udp bypasses the gate"}},
		"a range, replicas":     {"tcp", "scale: 3\nports: ['8000-8002:90']", nil, []string{"port 90/tcp bypasses the gate (gate: tcp in app/.syncd.yaml): each instance publishes its own of 8000-8002"}},
		"the host's network":    {"tcp", "network_mode: host", nil, []string{"the service bypasses the gate (gate: tcp in app/.syncd.yaml): it is on the host's network"}},
		"no network":            {"tcp", "network_mode: none", nil, nil},
		"the engine's bridge":   {"tcp", "network_mode: bridge\nports: ['8080:80']", nil, []string{"network_mode is bridge"}},
		"a one-shot":            {"tcp", "ports: ['8080:80']\nx-syncd: {job: true}", nil, []string{"it is a one-shot"}},
		"replicas":              {"tcp", "scale: 2\nports: ['8080:80']", []string{"route/web/8080 tcp"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := mustRender(t, byApp(t, web(c.lines), c.mode))
			if got := routesOf(t, a); !reflect.DeepEqual(got, c.routes) {
				t.Errorf("routes %q, want %q", got, c.routes)
			}
			for _, want := range c.notes {
				if !strings.Contains(strings.Join(a.Notes, "\n"), want) {
					t.Errorf("notes %q lack %q", a.Notes, want)
				}
			}
			if len(c.notes) == 0 && len(a.Notes) > 0 {
				t.Errorf("notes %q", a.Notes)
			}
		})
	}
}

func TestAnAppsGatePassesInternalNetworksBy(t *testing.T) {
	text := "services: {web: {image: a, ports: ['8080:80'], networks: [back]}}\nnetworks: {back: {internal: true}}\n"
	a := mustRender(t, byApp(t, one(text), "tcp"))
	if len(routesOf(t, a)) != 0 || len(a.Notes) != 1 || !strings.Contains(a.Notes[0], "app/compose.yaml:1: service web: ports: the service bypasses") || !strings.Contains(a.Notes[0], "internal networks only") {
		t.Errorf("%q %q", routesOf(t, a), a.Notes)
	}
	mustFail(t, one(strings.Replace(text, "image: a", "image: a, x-syncd: {gate: tcp}", 1)).request(t), fault.Rejected, "x-syncd.gate", "internal networks only", "gate: none")
}

func TestAGateIsAskedForByNameWhereItCanServe(t *testing.T) {
	mustFail(t, web("ports: ['53:53/udp']\nx-syncd: {gate: tcp}").request(t), fault.Rejected, "service web", "x-syncd.gate", "no fixed TCP port", "8080:80")
	mustFail(t, web("ports: ['8080:80']\nx-syncd: {gate: tcp, job: true}").request(t), fault.Rejected, "x-syncd.gate", "one-shot")
	mustFail(t, byApp(t, web("ports: ['8080:80']\nx-syncd: {proxyProtocol: true}"), "http"), fault.Rejected, "x-syncd.proxyProtocol", "gate: tcp")
	mustFail(t, byApp(t, web("ports: ['8080:80']\nx-syncd: {gate: none, drain: 5s}"), "http"), fault.Rejected, "x-syncd.drain", "no gate")
}
