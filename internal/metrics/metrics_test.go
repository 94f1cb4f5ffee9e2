package metrics_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/gate"
	"syncd.io/syncd/internal/metrics"
	"syncd.io/syncd/internal/resource"
)

// keeper has gates, and counts how often they are asked.
type keeper struct {
	gates map[string][]apply.Gate
	err   error
	asked int
}

func (k *keeper) AllGates(context.Context) (map[string][]apply.Gate, error) {
	k.asked++
	return k.gates, k.err
}

func gateAt(port string) apply.Gate {
	return apply.Gate{
		Route: resource.Key{Kind: "route", Namespace: "web", Name: port}, Answers: true, Waiting: 3,
		Backends: []apply.GateBackend{{State: gate.State{ID: "0123456789ab", InFlight: 2}}, {State: gate.State{ID: "ba9876543210", InFlight: 5, Draining: true}}},
		Totals:   gate.Totals{Accepted: 1e6, Held: 12, Refused: 1, HeldTooLong: 2, HeldTooMany: 4, Cut: 1},
	}
}

func page(t *testing.T, k *keeper) http.Handler {
	t.Helper()
	h, err := metrics.Handler(metrics.OfGates(t.Context(), k))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// scrape returns the page's lines that are not comments.
func scrape(t *testing.T, page http.Handler) string {
	t.Helper()
	w := httptest.NewRecorder()
	page.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	var lines []string
	for line := range strings.Lines(w.Body.String()) {
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return strings.Join(lines, "\n")
}

func TestAPageTellsWhatGatesCount(t *testing.T) {
	mute := apply.Gate{Route: resource.Key{Kind: "route", Namespace: "web", Name: "127.0.0.1:9090"}, Trouble: "no answer"}
	k := &keeper{gates: map[string][]apply.Gate{"shop": {gateAt("8080"), mute, gateAt("8080")}}}
	const of = `{app="shop",port="8080",service="web"} `
	want := strings.Join([]string{
		"syncd_gate_backend_in_flight" + of + "7", "syncd_gate_connections_accepted_total" + of + "1e+06", "syncd_gate_connections_cut_total" + of + "1",
		"syncd_gate_connections_held_total" + of + "12", "syncd_gate_connections_refused_total" + of + "7",
		`syncd_gate_up{app="shop",port="127.0.0.1:9090",service="web"} 0`, "syncd_gate_up" + of + "1", "syncd_gate_waiting" + of + "3",
	}, "\n")
	if got := scrape(t, page(t, k)); got != want {
		t.Errorf("the page says\n%s\n\nwant\n%s", got, want)
	}
}

func TestScrapesDoNotHammerTheEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{err: errors.New("no answer")}
		p := page(t, k)
		if got := scrape(t, p); !strings.HasSuffix(got, "no answer") {
			t.Errorf("without an engine it says %q", got)
		}
		k.err, k.gates = nil, map[string][]apply.Gate{"shop": {gateAt("8080")}}
		for range 10 {
			if got := scrape(t, p); !strings.Contains(got, "syncd_gate_up") {
				t.Errorf("it says %q", got)
			}
		}
		if k.asked != 2 { // that it failed is not kept
			t.Errorf("asked %d times", k.asked)
		}
		time.Sleep(6 * time.Second) //nolint:forbidigo // fake time
		scrape(t, p)
		if k.asked != 3 {
			t.Errorf("asked %d times", k.asked)
		}
	})
}

func TestAPageIsServedUntilTheEnd(t *testing.T) {
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address, log := l.Addr().String(), slog.New(slog.DiscardHandler)
	k := &keeper{gates: map[string][]apply.Gate{"shop": {gateAt("8080")}}}
	well := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	pages := metrics.Pages{Metrics: page(t, k), Healthz: well, Readyz: http.NotFoundHandler()}
	if err := metrics.Serve(t.Context(), address, pages, log); fault.Of(err) != fault.Blocked {
		t.Errorf("at a port that is taken: %v", err)
	}
	_ = l.Close()
	ctx, end := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- metrics.Serve(ctx, address, pages, log) }()
	body := ""
	for late := time.After(2 * time.Minute); !strings.Contains(body, "syncd_gate_up"); {
		if res, err := http.Get("http://" + address + "/metrics"); err == nil {
			raw, _ := io.ReadAll(res.Body)
			_ = res.Body.Close()
			body = string(raw)
		}
		select {
		case <-late:
			t.Fatalf("it says %q", body)
		case <-time.After(5 * time.Millisecond):
		}
	}
	for path, want := range map[string]int{"healthz": 200, "readyz": 404, "": 404} {
		res, err := http.Get("http://" + address + "/" + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("/%s answers %d, want %d", path, res.StatusCode, want)
		}
	}
	end()
	if err := <-served; err != nil {
		t.Error(err)
	}
}
