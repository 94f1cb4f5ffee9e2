package endtoend_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/apply/docker/dockertest"
)

// listener is somebody who is told by webhook, and who can be away.
type listener struct {
	*host
	address, secret string
	config          string
	p               *process

	mu    sync.Mutex
	told  map[string]string // by key, what was told
	list  []string          // EVENT once for each fact of each key
	facts []fact            // the same
	again int               // how many requests came once more
	bad   string            // what was wrong with a request
}

// fact is one of those that a message tells.
type fact struct {
	App      string   `json:"app"`
	Event    string   `json:"event"`
	Incident string   `json:"incident"`
	Reason   string   `json:"reason"`
	Findings []string `json:"findings"`
}

// newListener makes the settings of an agent that tells it; nobody listens yet.
func newListener(t *testing.T) *listener {
	t.Helper()
	return listenerOn(t, newHost(t))
}

// listenerOn does so for an agent on h.
func listenerOn(t *testing.T, h *host) *listener {
	t.Helper()
	l := &listener{host: h, address: freePort(t), secret: dockertest.Name(), told: map[string]string{}}
	file := filepath.Join(t.TempDir(), "secret")
	l.must(os.WriteFile(file, []byte(l.secret+"\n"), 0o600))
	where := ""
	if h.engine != "" {
		where = "\ndocker: " + h.engine
	}
	l.config = filepath.Join(t.TempDir(), "syncd.yaml")
	l.must(os.WriteFile(l.config, fmt.Appendf(nil, `
repo: {url: %s, interval: 1s}
state: %s
socket: %s%s
notify:
  channels:
    hook: {type: webhook, url: "http://%s/", secretFile: %s, pause: 0s, timeout: 5s}
  routes:
    - {name: all, to: [hook], group: 100ms}
`, l.repo, l.state, filepath.Join(l.state, "syncd.sock"), where, l.address, file), 0o600))
	return l
}

// start runs the agent until the end of the test, or kill.
func (l *listener) start() {
	l.t.Helper()
	l.p = l.launch(exec.Command(agentProgram(l.t), "run", "--config", l.config))
}

// kill ends it as kill -9 does.
func (l *listener) kill() {
	l.t.Helper()
	l.p.kill(l.t)
}

// listen begins to listen, until the end of the test.
func (l *listener) listen() {
	l.t.Helper()
	in, err := (&net.ListenConfig{}).Listen(l.t.Context(), "tcp", l.address)
	l.must(err)
	s := &http.Server{Handler: l, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(in) }() // it ends with Close
	l.t.Cleanup(func() { _ = s.Close(); <-done })
}

// ServeHTTP checks who speaks, and keeps what is said.
func (l *listener) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the agent was killed as it spoke
	}
	mac := hmac.New(sha256.New, []byte(l.secret))
	fmt.Fprintf(mac, "%s.%s", r.Header.Get("X-Syncd-Timestamp"), body)
	var m struct {
		Key   string `json:"key"`
		Facts []fact `json:"facts"`
	}
	err = json.Unmarshal(body, &m)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil || r.Header.Get("X-Syncd-Signature") != "sha256="+hex.EncodeToString(mac.Sum(nil)) || r.Header.Get("Idempotency-Key") != m.Key {
		l.bad = fmt.Sprintf("%v %s", r.Header, body)
	}
	if was, again := l.told[m.Key]; again && was != string(body) {
		l.bad = fmt.Sprintf("%s is now %s", was, body)
	} else if again {
		l.again++
	} else {
		l.facts = append(l.facts, m.Facts...)
		for _, f := range m.Facts {
			l.list = append(l.list, f.Event)
		}
	}
	l.told[m.Key] = string(body)
}

// hears waits until exactly this was told, in this order.
func (l *listener) hears(want ...string) {
	l.t.Helper()
	got := func() []string {
		l.mu.Lock()
		defer l.mu.Unlock()
		return slices.Clone(l.list)
	}
	deadline, tick := time.After(passLimit), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for !slices.Equal(got(), want) {
		select {
		case <-tick.C:
		case <-deadline:
			l.t.Fatalf("told were %v, want %v\n%s", got(), want, l.p.log.String())
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bad != "" {
		l.t.Errorf("a request is wrong: %s", l.bad)
	}
}

// hearsOf waits until an event was told.
func (l *listener) hearsOf(event string) {
	l.t.Helper()
	defer func() {
		if l.t.Failed() {
			l.t.Log(l.p.log.String())
		}
	}()
	dockertest.Eventually(l.t, event+" is told", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return slices.Contains(l.list, event)
	})
}

// forgets takes events that were told off the list, each of them once.
func (l *listener) forgets(events ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, event := range events {
		if i := slices.Index(l.list, event); i >= 0 {
			l.list = slices.Delete(l.list, i, i+1)
		}
	}
}

// recorded waits until the history has so many lines with a word.
func (l *listener) recorded(word string, times int) {
	l.t.Helper()
	dockertest.Eventually(l.t, fmt.Sprintf("%d times %s is on record", times, word), func() bool {
		out, err := exec.CommandContext(l.t.Context(), agentProgram(l.t), "history", l.project, "--config", l.config, "-o", "json").CombinedOutput()
		return err == nil && bytes.Count(out, []byte(`"outcome": "`+word+`"`)) == times
	})
}

// People hear of a deploy, of drift and of a rollback, each once; also where nobody
// could be told as it happened, and the agent was killed before it could.
func TestPeopleAreToldOnceWhoeverIsKilled(t *testing.T) {
	t.Parallel()
	l := newListener(t)
	l.deploy(web)
	l.start()
	l.recorded("applied", 1)
	l.kill() // nobody listened
	l.start()
	l.listen()
	l.hears("applied")

	l.must(l.api.ContainerRemove(t.Context(), l.one("web").ID, container.RemoveOptions{Force: true}))
	l.hearsOf("drift-resolved")
	l.forgets("applied", "drift-opened", "drift-resolved") // the repair may be quicker than the group

	l.deploy(strings.Replace(web, `"1"}`, `"2", APP_UNHEALTHY: "1"}`, 1))
	l.recorded("rolled back", 1)
	l.hears("rolled-back")
	l.kill()
	l.start()
	l.deploy(version(web, "3"))
	l.recorded("applied", 2)
	l.hears("rolled-back", "applied")
}
