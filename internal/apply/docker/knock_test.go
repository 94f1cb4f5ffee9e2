package docker

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// leaving is an engine of the test's own with one container, which may go down: it takes
// no connections any more then, and answers on those that are open.
type leaving struct {
	*httptest.Server
	mu sync.Mutex
	// states are told one after the other, the last one again and again.
	states []string
	asked  int
}

// take returns how often it was asked since the last take.
func (e *leaving) take() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	asked := e.asked
	e.asked = 0
	return asked
}

func (e *leaving) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	w.Header().Set("Api-Version", "1.41")
	w.Header().Set("Content-Type", "application/json")
	switch _, path, _ := strings.Cut(r.URL.Path, "/v1.41"); path {
	case "/containers/json":
		fmt.Fprint(w, `[{"Id":"c1","Labels":{"com.docker.compose.project":"shop","com.docker.compose.service":"web","com.docker.compose.container-number":"1","com.docker.compose.oneoff":"False"}}]`)
	case "/containers/c1/json":
		state := e.states[0]
		e.states = e.states[min(1, len(e.states)-1):]
		e.asked++
		fmt.Fprintf(w, `{"Id":"c1","Name":"/shop-web-1","State":%s,"HostConfig":{},"NetworkSettings":{},"Config":{"Labels":{"com.docker.compose.project":"shop","com.docker.compose.service":"web","com.docker.compose.container-number":"1"}}}`, state)
	case "/networks":
		fmt.Fprint(w, `[]`)
	case "/volumes":
		fmt.Fprint(w, `{}`)
	case "/info":
		fmt.Fprint(w, `{}`)
	case "": // a ping
	default:
		http.NotFound(w, r)
	}
}

const (
	running = `{"Status":"running","Running":true,"StartedAt":"2026-01-01T10:00:00Z","FinishedAt":"0001-01-01T00:00:00Z"}`
	fallen  = `{"Status":"exited","Running":false,"StartedAt":"2026-01-01T10:00:00Z","FinishedAt":"2026-01-01T11:00:00Z","ExitCode":143}`
)

// newLeaving returns one, and what looks at it.
func newLeaving(t *testing.T, states ...string) (*leaving, *Engine) {
	t.Helper()
	e := &leaving{states: states}
	e.Server = httptest.NewServer(e)
	t.Cleanup(e.Close)
	engine, err := Open(t.Context(), Options{Host: strings.Replace(e.URL, "http://", "tcp://", 1), Mounts: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return e, engine
}

// looks observes the container, and returns what was live; an error where nothing can
// be said.
func looks(t *testing.T, target *Target) ([]resource.Instance, error) {
	t.Helper()
	pairs, err := target.Observe(t.Context(), nil, apply.Owned{})
	if err != nil {
		return nil, err
	}
	if len(pairs) != 1 || len(pairs[0].Live) != 1 {
		t.Fatalf("there are %+v, want one container", pairs)
	}
	return pairs[0].Live, nil
}

// What an engine stops as it goes down is nobody's doing: there is no look at it.
func TestWhatStopsWithTheEngineIsNoDrift(t *testing.T) {
	e, engine := newLeaving(t, running, fallen)
	target := engine.Target("shop")
	if live, err := looks(t, target); err != nil || !live[0].Running {
		t.Fatalf("live is %+v, %v, want it running", live, err)
	}
	if err := e.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if live, err := looks(t, target); fault.Of(err) != fault.Unreachable {
			t.Errorf("live is %+v, %v (%s), want the engine unreachable", live, err, fault.Of(err))
		}
	}
	h, err := target.Health(t.Context(), resource.Key{Kind: spec.KindContainer, Namespace: "web", Name: "1"}, resource.Ref{ID: "c1"})
	if fault.Of(err) != fault.Unreachable {
		t.Errorf("its health is %+v, %v, want the engine unreachable", h, err)
	}
}

// Where the engine has come back before it was asked how it is, what it says then counts.
func TestWhatTheEngineHasStartedAgainIsNoDrift(t *testing.T) {
	_, engine := newLeaving(t, fallen, running)
	if live, err := looks(t, engine.Target("shop")); err != nil || !live[0].Running {
		t.Errorf("live is %+v, %v, want it running", live, err)
	}
}

// What is down by itself is seen at once, and looked at no more often than all else
// from then on.
func TestWhatIsDownIsLookedAtTwiceOnce(t *testing.T) {
	e, engine := newLeaving(t, running, fallen)
	target := engine.Target("shop")
	for n, want := range []int{1, 2, 1, 1} {
		live, err := looks(t, target)
		if err != nil || live[0].Running != (n == 0) {
			t.Fatalf("at look %d, live is %+v, %v", n, live, err)
		}
		if got := e.take(); got != want {
			t.Errorf("look %d asks %d times, want %d", n, got, want)
		}
	}
	e.mu.Lock()
	e.states = []string{strings.Replace(fallen, "11:00", "12:00", 1)}
	e.mu.Unlock()
	if _, err := looks(t, target); err != nil || e.take() != 2 {
		t.Errorf("of one that fell again it did not ask twice: %v", err)
	}
}
