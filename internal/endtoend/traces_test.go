package endtoend_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"syncd.io/syncd/internal/apply/docker/dockertest"
)

// wireSpan is a span as a collector gets it, as far as it is looked at.
type wireSpan struct {
	Name, TraceID, SpanID, ParentSpanID string
	Attributes                          []struct {
		Key   string
		Value struct{ StringValue string }
	}
}

// jar collects spans by their names, with those that they are part of.
type jar struct {
	mu    sync.Mutex
	spans map[string]wireSpan // by ID
	token string
}

func (j *jar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		ResourceSpans []struct{ ScopeSpans []struct{ Spans []wireSpan } }
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.Header.Get("Authorization") != j.token {
		http.Error(w, "no", http.StatusBadRequest)
		return
	}
	for _, rs := range body.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			for _, s := range ss.Spans {
				j.spans[s.SpanID] = s
			}
		}
	}
	fmt.Fprint(w, "{}")
}

// path tells whether there is a span that is within others, from the outermost on.
func (j *jar) path(names ...string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.spans {
		depth := len(names) - 1
		for at := s; depth >= 0 && strings.HasPrefix(at.Name, names[depth]); depth-- {
			if at.ParentSpanID == "" {
				if depth == 0 {
					return true
				}
				break
			}
			at = j.spans[at.ParentSpanID]
		}
	}
	return false
}

func TestPassesOfARealAgentAreTraced(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a Docker engine")
	}
	h, j := newHost(t), &jar{spans: map[string]wireSpan{}, token: "Bearer " + dockertest.Name()}
	collector := httptest.NewServer(j)
	t.Cleanup(collector.Close)
	headers := filepath.Join(t.TempDir(), "headers")
	h.must(os.WriteFile(headers, []byte("Authorization: "+j.token+"\n"), 0o600))
	h.deploy(web)
	p := h.runProcess(fmt.Sprintf("  url: %s\ntraces: {endpoint: %q, headersFile: %q}\n", h.repo, collector.URL, headers))
	h.deployed(p)
	pass := "pass " + h.project
	for _, names := range [][]string{{pass, "render"}, {pass, "prepare"}, {pass, "observe"}, {pass, "rollout", "put container/web/1"}, {pass, "rollout", "await container/web/1"}, {pass, "soak"}} {
		dockertest.Eventually(t, "a trace has "+strings.Join(names, " > "), func() bool { return j.path(names...) })
	}
}
