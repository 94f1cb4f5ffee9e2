package main

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/state"
)

func TestWhatIsOnRecordIsMarkedInGrafana(t *testing.T) {
	marks := make(chan string, 10)
	grafana := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet { // nothing is there
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		marks <- r.Header.Get("Authorization") + " " + r.URL.Path + " " + string(body)
	}))
	t.Cleanup(grafana.Close)
	t.Setenv("GRAFANA_TOKEN", "glsa_geheim")
	host := config.Host{State: t.TempDir(), Host: config.HostInfo{Name: "host1"}, Annotations: config.Annotations{URL: grafana.URL, TokenEnv: "GRAFANA_TOKEN"}}
	log := slog.New(slog.DiscardHandler)
	m, err := markerOf(host, false, log)
	if err != nil {
		t.Fatal(err)
	}
	store, err := state.Open(host.State)
	if err != nil {
		t.Fatal(err)
	}
	var open closers
	open.add(store.Close)
	(wiring{marker: m, log: log}).tell(t.Context(), host, store, &open)
	entry := state.Entry{App: "shop", At: time.Now(), Kind: "sync", Outcome: "applied", Revision: source.Revision{Commit: "0123456789abcdef", Subject: "Faster carts"}}
	unwell, put := entry, entry
	unwell.Outcome, put.Outcome, put.Steps = "degraded", "degraded", []string{"1 put container/web/1 image: v1 -> v2"}
	if _, err := store.SaveWith(state.Record{App: "shop"}, unwell, put, entry); err != nil {
		t.Fatal(err)
	}
	m.hearing(func(reconcile.Event) {})(reconcile.Event{App: "shop", Result: &reconcile.Result{Outcome: reconcile.Applied}})
	for _, want := range []string{"shop deployed, not well: 0123456789 (Faster carts) on host1", "shop deployed 0123456789 (Faster carts) on host1"} {
		select {
		case got := <-marks:
			if !strings.HasPrefix(got, "Bearer glsa_geheim /api/annotations ") || !strings.Contains(got, want) {
				t.Errorf("Grafana got %s, want %s", got, want)
			}
		case <-time.After(time.Minute):
			t.Error("Grafana got nothing")
		}
	}
	if err := open.close(); err != nil {
		t.Error(err)
	}
	if q := m.Queues(); len(q) != 0 {
		t.Errorf("after the end it has %v", q)
	}
}

func TestWhoOnlyReadsMarksNothing(t *testing.T) {
	host := config.Host{Annotations: config.Annotations{URL: "https://grafana.example.org"}}
	if m, err := markerOf(host, true, nil); m != nil || err != nil {
		t.Errorf("%v, %v", m, err)
	}
	var m *marker
	m.hearing(func(reconcile.Event) {})(reconcile.Event{Result: &reconcile.Result{}}) // nobody
}
