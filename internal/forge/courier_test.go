package forge

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/outbox"
)

// What is wrong is said once, until it is well again; all of it is counted.
func TestTroubleIsSaidOnce(t *testing.T) {
	failing := true
	s := newServer(t, func(w http.ResponseWriter, _ int) {
		if failing {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.WriteHeader(http.StatusCreated)
	})
	d, log := destinationAt(t, s, config.Feedback{Provider: config.GitHub})
	attempt := func() {
		err := d.send(t.Context(), status(Success))
		what := outbox.Delivered
		if err != nil {
			what = outbox.Refused
		}
		d.told(outbox.Item{Key: "1"}, what, err)
	}
	for range 3 {
		attempt()
	}
	if n := strings.Count(log.String(), "given up"); n != 1 || strings.Contains(log.String(), secret) {
		t.Errorf("it is said %d times:\n%s", n, log.String())
	}
	failing = false
	attempt()
	failing = true
	attempt()
	if n := strings.Count(log.String(), "given up"); n != 2 {
		t.Errorf("after it was well it is said %d times", n)
	}
	if d.ended[outbox.Refused] != 4 || d.ended[outbox.Delivered] != 1 {
		t.Errorf("counted are %v", d.ended)
	}
}

// Killed after a status was queued, and before it was sent, the next agent sends it,
// and nothing twice.
func TestWhatWaitsIsSentByTheNextAgent(t *testing.T) {
	s := newServer(t, code(http.StatusCreated, "{}"))
	b := newBench(t, config.Feedback{Provider: config.GitHub, URL: s.URL, Repository: "acme/deploy", TokenFile: tokenFile(t)})
	b.wants(one, shop("a", one, "applied"))
	b.tells("1 success live and healthy: shop")
	b.restart()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); b.r.Run(ctx) }()
	deadline, tick := time.After(time.Minute), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for c := b.r.Counts()[0]; c.Ended["delivered"] != 1 || c.Waiting != 0; c = b.r.Counts()[0] {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("it was not sent: %+v", c)
		}
	}
	b.r.Wake()
	cancel()
	<-done
	if got := s.requests(); len(got) != 1 || got[0].body["state"] != "success" {
		t.Errorf("sent are %+v", got)
	}
}
