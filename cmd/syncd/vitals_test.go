package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/state"
)

// sight is how a repository is seen.
type sight struct{ now reconcile.Sight }

func (s *sight) Sight() reconcile.Sight { return s.now }

// moody is an engine that answers, or does not.
type moody struct{ err error }

func (m *moody) Target(string) apply.Target { return nil }
func (m *moody) Ping(context.Context) error { return m.err }

// full is a record on a disk that may be full.
type full struct {
	record
	err error
}

func (f *full) Save(state.Record) error { return f.err }

// later lets the bubble's clock go on.
func later(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // the clock of the bubble
	synctest.Wait()
}

// says fails the test unless exactly this is wrong with the agent.
func (v *vitals) says(t *testing.T, live, ready string) {
	t.Helper()
	if got := v.live().Trouble(); got != live {
		t.Errorf("alive: %q, want %q", got, live)
	}
	if got := v.ready().Trouble(); got != ready {
		t.Errorf("ready: %q, want %q", got, ready)
	}
}

func TestReadyIsWhoCouldDoWhatIsAsked(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		v, sees, engine, disk := newVitals(), &sight{}, &moody{}, &full{}
		v.waitsFor("engine")
		v.says(t, "", "start: waiting for the engine")
		v.standsBy()
		v.says(t, "", "")
		var open closers
		v.works(t.Context(), dir, sees, engine, &open)
		synctest.Wait()
		v.says(t, "", "repository: it was not looked at yet")
		sees.now = reconcile.Sight{Looked: true, Missed: 2}
		v.says(t, "", "")
		sees.now.Missed = 3 // whose fault no restart would mend
		v.says(t, "", "repository: no answer in 3 polls")
		sees.now.Missed = 0
		engine.err = errors.New("dial unix /var/run/docker.sock")
		later(engineEvery)
		v.says(t, "", "engine: it does not answer")
		engine.err = nil
		later(engineEvery)
		v.says(t, "", "")

		store := v.watching(disk)
		disk.err = errors.New("no space left on device")
		if err := store.Save(state.Record{}); err == nil {
			t.Error("the error of a write is lost")
		}
		later(recordEvery)
		v.says(t, "", "record: the last write failed")
		disk.err = nil
		if err := store.Save(state.Record{}); err != nil {
			t.Error(err)
		}
		later(recordEvery)
		v.says(t, "", "")
		if err := os.Mkdir(filepath.Join(dir, ".writable"), 0o700); err != nil { // root may write anywhere else
			t.Fatal(err)
		}
		later(recordEvery)
		v.says(t, "", "record: the state directory cannot be written")

		hands := v.heart.Begin("app shop", time.Minute)
		later(2 * time.Minute)
		v.says(t, "loops: app shop gives no sign of life for 2m0s", "loops: app shop gives no sign of life for 2m0s; record: the state directory cannot be written")
		hands.End()
		if err := open.close(); err != nil {
			t.Error(err)
		}
		v.says(t, "", "start: ending")
	})
}

// told is what systemd was told.
type told struct {
	mu  sync.Mutex
	all []string
}

func (s *told) notify(state string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, state)
	return true, nil
}

// take returns what was told since.
func (s *told) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.all
	s.all = nil
	return all
}

func (s *told) beats() int {
	n := 0
	for _, state := range s.take() {
		if state == "WATCHDOG=1" {
			n++
		}
	}
	return n
}

func TestALoopThatHangsGivesTheWatchdogNoSign(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		systemd, v, log := &told{}, newVitals(), &strings.Builder{}
		tend := &tender{vitals: v, log: slog.New(slog.NewTextHandler(log, nil)), what: "following it", notify: systemd.notify, watchdog: time.Minute}
		ctx, end := context.WithCancel(t.Context())
		over, ended := make(chan struct{}), make(chan struct{})
		go func() { defer close(ended); tend.run(ctx, over) }()
		synctest.Wait()
		if got := systemd.take(); slices.Contains(got, "READY=1") || !slices.Contains(got, "STATUS=not ready: start: it begins") {
			t.Errorf("before it has begun: %q", got)
		}
		var open closers
		v.works(ctx, dir, &sight{reconcile.Sight{Looked: true}}, &moody{}, &open)
		v.rise()
		later(glance)
		if got := systemd.take(); !slices.Contains(got, "READY=1") || !slices.Contains(got, "STATUS=following it") {
			t.Errorf("when it has begun: %q", got)
		}
		later(5 * time.Minute)
		if n := systemd.beats(); n < 10 {
			t.Errorf("%d signs in five minutes, with a watchdog of one", n)
		}
		hands := v.heart.Begin("app shop", time.Minute)
		later(time.Minute + glance)
		systemd.take()
		later(5 * time.Minute)
		if n := systemd.beats(); n != 0 {
			t.Errorf("%d signs of an agent that hangs", n)
		}
		if !strings.Contains(log.String(), "app shop gives no sign") || strings.Count(log.String(), "\n") != 1 {
			t.Errorf("the log has:\n%s", log)
		}
		hands.End()
		later(time.Minute)
		if n := systemd.beats(); n < 2 {
			t.Errorf("%d signs of an agent that goes on", n)
		}
		end()
		synctest.Wait()
		if got := systemd.take(); !slices.Contains(got, "STOPPING=1") {
			t.Errorf("at its end: %q", got)
		}
		later(time.Minute) // a rollout under way ends what it has begun
		if n := systemd.beats(); n < 2 {
			t.Errorf("%d signs of an agent that ends", n)
		}
		close(over)
		<-ended
		if err := open.close(); err != nil {
			t.Error(err)
		}
	})
}
