package docker

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
)

// TestWatchTellsWhyEventsEnded, listens anew, and says that any app may have
// changed meanwhile. An engine that hangs up at will is one of the test's own.
func TestWatchTellsWhyEventsEnded(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		if strings.HasSuffix(r.URL.Path, "/events") {
			asked.Add(1)
			fmt.Fprint(w, `{"Type":"container","Action":"di`)
		}
	}))
	t.Cleanup(server.Close)
	ended := make(chan error, 100)
	e, err := Open(t.Context(), Options{Host: strings.Replace(server.URL, "http://", "tcp://", 1), Deaf: func(err error) { ended <- err }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	woken := e.Watch(ctx)
	if project, open := <-woken; project != "" || !open || asked.Load() == 0 {
		t.Errorf("got %q, %v; want a word without a name once it listens: what happened before is not heard", project, open)
	}
	select {
	case err := <-ended:
		if fault.Of(err) != fault.Unreachable || !strings.Contains(err.Error(), "listen to the engine's events") {
			t.Errorf("got %v (%v)", err, fault.Of(err))
		}
	case <-ctx.Done():
		t.Fatal("nobody was told")
	}
	if project, open := <-woken; project != "" || !open {
		t.Errorf("got %q, %v; want a word without a name", project, open)
	}
	if asked.Load() < 2 {
		t.Error("it says so before it listens again: what happens in between is lost")
	}
	cancel()
	for range woken { // closed in the end
		continue
	}
}

// An engine that has just begun to answer may not do so each time: what was lost is
// looked for all the same, and not only when the next event comes.
func TestWatchTellsOfLostEventsThoughAPingFails(t *testing.T) {
	var asked, unwell atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		switch {
		case strings.HasSuffix(r.URL.Path, "/_ping") && asked.Load() > 1 && unwell.CompareAndSwap(0, 1):
			http.Error(w, "not yet", http.StatusServiceUnavailable)
		case strings.HasSuffix(r.URL.Path, "/_ping") && unwell.CompareAndSwap(1, 2): // GET follows HEAD
			http.Error(w, "not yet", http.StatusServiceUnavailable)
		case strings.HasSuffix(r.URL.Path, "/events") && asked.Add(1) > 1: // the first ones end at once
			w.WriteHeader(http.StatusOK)
			http.NewResponseController(w).Flush() //nolint:errcheck // it is the test's own
			<-r.Context().Done()
		}
	}))
	t.Cleanup(server.Close)
	e, err := Open(t.Context(), Options{Host: strings.Replace(server.URL, "http://", "tcp://", 1)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	woken := e.Watch(ctx)
	for range 2 {
		if project, open := <-woken; project != "" || !open {
			t.Errorf("got %q, %v; want a word without a name", project, open)
		}
	}
	if unwell.Load() != 2 {
		t.Error("no ping has failed")
	}
	cancel()
	for range woken { // closed in the end
		continue
	}
}
