package kube_test

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// heard is a fact that people were told.
type heard struct {
	ID       uint64   `json:"id"`
	Event    string   `json:"event"`
	App      string   `json:"app"`
	Incident string   `json:"incident"`
	Reason   string   `json:"reason"`
	Findings []string `json:"findings"`
}

// hearer is a webhook's receiver: it knows a message that it has had, by its key, and
// may be moody.
type hearer struct {
	away atomic.Bool // nobody is there

	mu      sync.Mutex
	moods   *rand.Rand // nil is never
	keys    map[string]bool
	facts   []heard
	repeats int // messages that came again
}

// listen begins to hear, until the test ends, and returns where.
func (h *hearer) listen(t testing.TB) string {
	hook := httptest.NewServer(h)
	t.Cleanup(hook.Close)
	return hook.URL
}

// ServeHTTP keeps what is said. A moody one refuses some, and is not heard to have
// taken others.
func (h *hearer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m struct {
		Key   string  `json:"key"`
		Facts []heard `json:"facts"`
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	mood := 0
	if h.moods != nil {
		mood = h.moods.IntN(20)
	}
	if h.away.Load() || mood == 1 || json.NewDecoder(r.Body).Decode(&m) != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if h.keys[m.Key] {
		h.repeats++
	} else {
		h.facts = append(h.facts, m.Facts...)
	}
	if h.keys == nil {
		h.keys = map[string]bool{}
	}
	h.keys[m.Key] = true
	if mood == 2 {
		w.WriteHeader(http.StatusBadGateway)
	}
}

// all is what was heard, and how often a message came again.
func (h *hearer) all() ([]heard, int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.facts), h.repeats
}

// times is how often each event of each incident was heard.
func (h *hearer) times() map[string]int {
	times := map[string]int{}
	facts, _ := h.all()
	for _, f := range facts {
		if f.Incident != "" {
			times[f.Incident+" "+f.Event]++
		}
	}
	return times
}
