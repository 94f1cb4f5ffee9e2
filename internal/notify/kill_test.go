package notify

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/outbox"
)

// childEnv makes this test binary an agent that tells a webhook of what is on record,
// until it is killed.
const childEnv = "SYNCD_TEST_NOTIFY_CHILD"

func TestMain(m *testing.M) {
	if dir, url, ok := strings.Cut(os.Getenv(childEnv), "|"); ok {
		fmt.Println("error", tellForEver(dir, url))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// counting is a record of as many facts as its file has bytes: an app each, that was
// applied.
type counting struct{ path string }

// Since implements Journal.
func (c counting) Since(id uint64, limit int) ([]Fact, error) {
	info, err := os.Stat(c.path)
	if err != nil {
		return nil, err
	}
	var facts []Fact
	for next := id + 1; next <= uint64(info.Size()) && len(facts) < limit; next++ {
		facts = append(facts, Fact{ID: next, At: time.Unix(int64(next), 0).Add(24 * 365 * time.Hour * 60), App: fmt.Sprint("app-", next), Kind: "sync", Outcome: "applied"})
	}
	return facts, nil
}

// Open implements Journal.
func (c counting) Open(Fact) (bool, error) { return false, nil }

// Last implements Journal.
func (c counting) Last() (uint64, error) {
	info, err := os.Stat(c.path)
	if err != nil {
		return 0, err
	}
	return uint64(info.Size()), nil
}

func tellForEver(dir, url string) error {
	box, err := outbox.Open(filepath.Join(dir, "notify.db"))
	if err != nil {
		return err
	}
	conf := config.Notify{
		Channels: map[string]config.Channel{"hook": {Type: "webhook", URL: url, Pause: duration(0)}},
		Routes:   []config.Route{{Name: "all", To: []string{"hook"}, Group: duration(time.Millisecond)}},
	}
	n, err := New(Options{Notify: conf, Host: "prod-1", Box: box, Journal: counting{filepath.Join(dir, "record")}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	fmt.Println("open")
	go func() {
		for range time.Tick(time.Millisecond) {
			n.Wake()
		}
	}()
	n.Run(context.Background())
	return errors.New("it ended")
}

// heard is what a webhook got: every app, and in how many messages of their own, and of
// how many apps each message told, for it names fifty.
type heard struct {
	mu     sync.Mutex
	apps   map[string]map[string]bool // by app the keys
	counts map[string]int             // by key
}

func (h *heard) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var m Message
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		return // the agent was killed as it spoke
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counts[m.Key] = m.Count
	for _, t := range m.Facts {
		if h.apps[t.App] == nil {
			h.apps[t.App] = map[string]bool{}
		}
		h.apps[t.App][m.Key] = true
	}
}

func (h *heard) count() (total int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range h.counts {
		total += n
	}
	return total
}

// Killed anywhere between seeing and telling, the agent tells everything; and what it
// tells twice it tells under the same key.
func TestKilledBetweenSeeingAndTelling(t *testing.T) {
	dir, h := t.TempDir(), &heard{apps: map[string]map[string]bool{}, counts: map[string]int{}}
	path := filepath.Join(dir, "record")
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	hook := httptest.NewServer(h)
	t.Cleanup(hook.Close)
	add(t, path, 0)
	total := 0
	for range rounds {
		cmd := agent(t, dir, hook.URL)
		for range 1 + rand.N(40) { // while it reads and tells
			add(t, path, 1)
			total++
			<-time.After(time.Duration(rand.N(4)) * time.Millisecond)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
	}
	agent(t, dir, hook.URL)
	eventually(t, fmt.Sprint("all of ", total, " are told"), func() error {
		if n := h.count(); n != total {
			return fmt.Errorf("%d are", n)
		}
		return nil
	})
	for app, keys := range h.apps {
		if len(keys) != 1 {
			t.Errorf("%s was told under %d keys", app, len(keys))
		}
	}
}

// add puts so many facts more on record.
func add(t *testing.T, path string, n int) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(strings.Repeat("x", n)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// agent starts a child, which ends with the test at the latest.
func agent(t *testing.T, dir, url string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir+"|"+url)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill() // it may have ended
			_ = cmd.Wait()         // it was killed
		}
	})
	if lines := bufio.NewScanner(out); !lines.Scan() || lines.Text() != "open" {
		t.Fatalf("the child said %q", lines.Text())
	}
	return cmd
}
