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
