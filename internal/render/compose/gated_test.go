package compose

import (
	"reflect"
	"strings"
	"testing"
	"time"

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

// Without a gate a drain is a pause before the stop.
func TestWhatPassesAnAppsGateByIsPaused(t *testing.T) {
	for lines, want := range map[string]time.Duration{
		"ports: ['8080:80']":   0, // its gate drains
		"ports: ['53:53/udp']": 5 * time.Second,
		"network_mode: host":   5 * time.Second,
		"expose: ['80']":       5 * time.Second,
	} {
		if got := container(t, mustRender(t, byApp(t, web(lines+"\nx-syncd: {drain: 5s}"), "tcp"))).Drain; got != want {
			t.Errorf("%s: a pause of %s, want %s", lines, got, want)
		}
	}
}

func TestAGateIsAskedForByNameWhereItCanServe(t *testing.T) {
	mustFail(t, web("ports: ['53:53/udp']\nx-syncd: {gate: tcp}").request(t), fault.Rejected, "service web", "x-syncd.gate", "no fixed TCP port", "8080:80")
	mustFail(t, web("ports: ['8080:80']\nx-syncd: {gate: tcp, job: true}").request(t), fault.Rejected, "x-syncd.gate", "one-shot")
	mustFail(t, byApp(t, web("ports: ['8080:80']\nx-syncd: {proxyProtocol: true}"), "http"), fault.Rejected, "x-syncd.proxyProtocol", "gate: tcp")
	mustFail(t, byApp(t, web("ports: ['53:53/udp']\nx-syncd: {sticky: true}"), "http"), fault.Rejected, "x-syncd.sticky", "no fixed TCP port")
	mustFail(t, byApp(t, web("network_mode: host\nx-syncd: {canary: {share: 10, for: 1m}}"), "http"), fault.Rejected, "x-syncd.canary", "host's network")
	mustFail(t, byApp(t, web("x-syncd: {proxyProtocol: true}"), "tcp"), fault.Rejected, "x-syncd.proxyProtocol", "publishes no port")
}

// aliased is a service whose gate answers to its name, with more lines of it, and
// more of the file.
func aliased(lines, more string) files {
	text := service("web", "image: a\nx-syncd: {gate: {mode: http, alias: true}}\n"+lines)
	return one(text + more)
}

func TestAGateMayAnswerToTheServicesName(t *testing.T) {
	a := mustRender(t, aliased("ports: ['8080:80']\nexpose: ['80']\nnetworks: {front: {aliases: [www]}, back: }", "  db: {image: b, networks: [back]}\nnetworks: {front: , back: }\n").request(t))
	if got := string(object(t, a, "route/web/8080").Spec); !strings.Contains(got, `"aliases":{"shop_back":["web"],"shop_front":["web","www"]}`) || !strings.Contains(got, `"mode":"http"`) {
		t.Errorf("route %s", got)
	}
	for _, e := range container(t, a).Networks {
		if len(e.Aliases) > 0 {
			t.Errorf("the containers answer to %q in %s", e.Aliases, e.Name)
		}
	}
	if got := string(object(t, a, "container/db/1").Spec); !strings.Contains(got, `"aliases":["db"]`) {
		t.Errorf("another service lost its name: %s", got)
	}
}

func TestAGatesFormsSayTheSame(t *testing.T) {
	for app, c := range map[string]struct{ gate, want string }{
		"":     {"{mode: http}", "route/web/8080 http"},
		"none": {"{alias: true}", "route/web/8080 tcp"},
		"http": {"{alias: true}", "route/web/8080 http"},
		"tcp":  {"{mode: none}", ""},
	} {
		req := byApp(t, web("ports: ['8080:80']\nx-syncd: {gate: "+c.gate+"}"), app)
		if got := strings.Join(routesOf(t, mustRender(t, req)), " "); got != c.want {
			t.Errorf("app %q, gate %s: %q, want %q", app, c.gate, got, c.want)
		}
	}
	mustFail(t, web("ports: ['8080:80']\nx-syncd: {gate: {alais: true}}").request(t), fault.Rejected, "app/compose.yaml:5", "x-syncd.gate.alais", "alias, mode")
	mustFail(t, web("ports: ['8080:80']\nx-syncd: {gate: {alias: 'yes'}}").request(t), fault.Rejected, "x-syncd.gate.alias", "yes")
	mustFail(t, web("ports: ['8080:80']\nx-syncd: {gate: {mode: udp}}").request(t), fault.Rejected, "x-syncd.gate.mode", "udp")
	mustFail(t, web("ports: ['8080:80']\nx-syncd: {gate: {mode: none, alias: true}}").request(t), fault.Rejected, "x-syncd.gate.alias", "without a gate")
}

// One name that leads to two different things would lose half of what is meant
// for the gate.
func TestANameThatIsNotTheGatesAloneIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		lines, more string
		words       []string
	}{
		"two published ports":     {"ports: ['8080:80', '8081:81']", "", []string{"2 published ports", "publish one TCP port"}},
		"one port twice":          {"ports: ['127.0.0.1:8080:80', '127.0.0.2:8080:80']", "", []string{"2 published ports"}},
		"another port exposed":    {"ports: ['8080:80']\nexpose: ['9090']", "", []string{"port 9090/tcp too", "a service of its own"}},
		"UDP besides":             {"ports: ['8080:80', '8080:80/udp']", "", []string{"port 80/udp too"}},
		"an external network":     {"ports: ['8080:80']\nnetworks: [edge]", "networks: {edge: {external: true}}\n", []string{"network edge is external"}},
		"somebody else's alias":   {"ports: ['8080:80']", "  db: {image: b, networks: {default: {aliases: [web]}}}\n", []string{"service db answers to web in network default too"}},
		"somebody else's name":    {"ports: ['8080:80']\nnetworks: {default: {aliases: [db]}}", "  db: {image: b}\n", []string{"service db answers to db"}},
		"a container's name":      {"ports: ['8080:80']", "  db: {image: b, container_name: web}\n", []string{"the container of service db is called web"}},
		"its own container's":     {"ports: ['8080:80']\ncontainer_name: web", "", []string{"the container of service web is called web"}},
		"a link to its container": {"ports: ['8080:80']", "  db: {image: b, links: ['web:www']}\n", []string{"service db links to its containers"}},
	} {
		t.Run(name, func(t *testing.T) {
			mustFail(t, aliased(c.lines, c.more).request(t), fault.Rejected, append(c.words, "service web", "x-syncd.gate.alias")...)
		})
	}
	mustRender(t, aliased("ports: ['8080:80']\nnetworks: [front]", "  db: {image: b, networks: {back: {aliases: [web]}}}\nnetworks: {front: , back: }\n").request(t))
}
