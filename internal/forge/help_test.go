package forge

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/outbox"
)

// The commits of the tests.
var (
	one   = strings.Repeat("1", 40)
	two   = strings.Repeat("2", 40)
	three = strings.Repeat("3", 40)
)

const secret = "ghp_0123456789secret"

// situation is a host: its record, and how its apps stand.
type situation struct {
	mu    sync.Mutex
	facts []Fact
	sight Sight
}

// Since implements Journal.
func (s *situation) Since(id uint64, limit int) ([]Fact, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Fact
	for _, f := range s.facts {
		if f.ID > id && len(out) < limit {
			out = append(out, f)
		}
	}
	return out, nil
}

// Sight implements Host.
func (s *situation) Sight() Sight {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.sight
	out.Apps = slices.Clone(s.sight.Apps)
	return out
}

// book puts a line about an app on record.
func (s *situation) book(app, outcome, commit, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.facts = append(s.facts, Fact{ID: uint64(len(s.facts) + 1), At: time.Now(), App: app, Kind: "sync", Outcome: outcome, Commit: commit, Reason: reason})
}

// wants makes commit the wanted one, with these apps.
func (s *situation) wants(commit string, apps ...App) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sight.Commit, s.sight.Apps = commit, apps
}

// bench is a reporter without couriers: what it queues is read from its outbox.
type bench struct {
	*situation
	t    *testing.T
	dir  string
	conf []config.Feedback
	box  *outbox.Box
	r    *Reporter
	last map[uint64]bool
}

func newBench(t *testing.T, conf ...config.Feedback) *bench {
	t.Helper()
	if len(conf) == 0 {
		conf = []config.Feedback{{Provider: config.GitHub, TokenFile: tokenFile(t)}}
	}
	b := &bench{situation: &situation{}, t: t, dir: t.TempDir(), conf: conf, last: map[uint64]bool{}}
	b.restart()
	t.Cleanup(func() { b.must(b.box.Close()) })
	return b
}

// restart is the next agent on the same disk.
func (b *bench) restart() {
	b.t.Helper()
	var err error
	if b.box != nil {
		b.must(b.box.Close())
	}
	b.box, err = outbox.Open(filepath.Join(b.dir, "notify.db"))
	b.must(err)
	b.r, err = New(Options{Feedback: b.conf, Repo: "https://github.com/acme/deploy.git", Name: "web-1", Box: b.box, Journal: b, Host: b, Log: slog.New(slog.DiscardHandler)})
	b.must(err)
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// tells lets the reporter look, and expects these statuses to be queued by it: COMMIT
// STATE DESCRIPTION, with CONTEXT in between where it is not that of the host.
func (b *bench) tells(want ...string) {
	b.t.Helper()
	b.must(b.r.turn(time.Now()))
	var got []string
	for _, item := range b.waiting() {
		if b.last[item.ID] {
			continue
		}
		b.last[item.ID] = true
		var s Status
		b.must(json.Unmarshal(item.Body, &s))
		name := ""
		if s.Context != "syncd/web-1" {
			name = s.Context + " "
		}
		got = append(got, s.Commit[:1]+" "+name+string(s.State)+" "+s.Description)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		b.t.Fatalf("told are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func (b *bench) waiting() []outbox.Item {
	b.t.Helper()
	items, _, err := b.box.Waiting(b.r.to[0].topic(), 1000)
	b.must(err)
	return items
}

func tokenFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// asked is one request that a forge got.
type asked struct {
	method, path string
	header       http.Header
	body         map[string]any
}

// server is a forge that answers as it is told to.
type server struct {
	*httptest.Server
	answer func(w http.ResponseWriter, n int)
	mu     sync.Mutex
	got    []asked
}

func newServer(t *testing.T, answer func(w http.ResponseWriter, n int)) *server {
	t.Helper()
	s := &server{answer: answer}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// ServeHTTP implements http.Handler.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, _ := io.ReadAll(r.Body)
	a := asked{method: r.Method, path: r.URL.EscapedPath(), header: r.Header}
	_ = json.Unmarshal(data, &a.body)
	s.mu.Lock()
	s.got = append(s.got, a)
	n := len(s.got)
	s.mu.Unlock()
	s.answer(w, n)
}

func (s *server) requests() []asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

// code answers with a status and a text.
func code(status int, text string) func(http.ResponseWriter, int) {
	return func(w http.ResponseWriter, _ int) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

// told is a destination at a server.
func destinationAt(t *testing.T, s *server, conf config.Feedback) (*destination, *bytes.Buffer) {
	t.Helper()
	if conf.URL == "" {
		conf.URL = s.URL
	}
	if conf.Repository == "" {
		conf.Repository = "acme/deploy"
	}
	if conf.TokenFile == "" {
		conf.TokenFile = tokenFile(t)
	}
	var log bytes.Buffer
	d, err := newDestination(conf, Options{Name: "web-1", Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return d, &log
}
