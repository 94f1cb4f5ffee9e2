package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// start runs mode until the test ends and waits until its address accepts.
func start(t *testing.T, mode string, s settings) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx, []string{mode}, s, io.Discard) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("%s ended with %v after it was asked to stop", mode, err)
		}
	})
	deadline := time.Now().Add(2 * time.Minute)
	for probe(t.Context(), "tcp://"+s.listen) != nil {
		if time.Now().After(deadline) {
			t.Fatalf("%s does not accept on %s", mode, s.listen)
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	return ln.Addr().String()
}

func get(t *testing.T, h http.Handler, path string) (int, string) {
	t.Helper()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return rec.Code, rec.Body.String()
}

func TestPageShowsVersionConfigurationAndDatabase(t *testing.T) {
	db := settings{listen: freeAddress(t), data: t.TempDir()}
	start(t, "db", db)
	if _, err := ask(t.Context(), db.listen, "incr", "jobs"); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "shop.conf")
	if err := os.WriteFile(config, []byte("color = green\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, body := get(t, handler(t.Context(), settings{name: "shop", version: "2", greeting: "hello", config: config, db: db.listen}), "/")
	for _, want := range []string{"shop version 2\n", "greeting: hello\n", "jobs done: 1\n", "color = green\n"} {
		if code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("/ answered %d without %q:\n%s", code, want, body)
		}
	}
}

func TestPageSaysWhenTheDatabaseIsGone(t *testing.T) {
	if code, body := get(t, handler(t.Context(), settings{db: freeAddress(t)}), "/"); code != http.StatusServiceUnavailable {
		t.Errorf("/ answered %d: %s", code, body)
	}
}

func TestHealthz(t *testing.T) {
	for broken, want := range map[bool]int{false: http.StatusOK, true: http.StatusInternalServerError} {
		if code, _ := get(t, handler(t.Context(), settings{broken: broken}), "/healthz"); code != want {
			t.Errorf("broken %t: /healthz answered %d, want %d", broken, code, want)
		}
	}
}

// What leaves says so, and goes on answering.
func TestDrain(t *testing.T) {
	s := settings{listen: freeAddress(t)}
	start(t, "web", s)
	if err := drain(os.Getpid()); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(2 * time.Minute)
	for probe(t.Context(), "http://"+s.listen+"/healthz") == nil {
		if time.Now().After(deadline) {
			t.Fatal("it says that it is well")
		}
	}
	if err := probe(t.Context(), "http://"+s.listen+"/"); err != nil {
		t.Error(err)
	}
}

func TestProbe(t *testing.T) {
	well, broken := settings{listen: freeAddress(t)}, settings{listen: freeAddress(t), broken: true}
	start(t, "web", well)
	start(t, "web", broken)
	if err := run(t.Context(), []string{"probe", "http://" + well.listen + "/healthz"}, well, io.Discard); err != nil {
		t.Errorf("probe of a healthy server: %v", err)
	}
	if err := probe(t.Context(), "http://"+broken.listen+"/healthz"); err == nil {
		t.Error("probe of a broken server succeeded")
	}
	if err := probe(t.Context(), "tcp://"+freeAddress(t)); err == nil {
		t.Error("probe of a closed port succeeded")
	}
}

func TestStoreSurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	for i, want := range []string{"1", "2"} {
		s, err := openStore(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.do("incr jobs\n"); err != nil || got != want {
			t.Errorf("run %d: incr gave %q, %v; want %q", i+1, got, err, want)
		}
	}
}

func TestStoreRefusesWhatItDoesNotKnow(t *testing.T) {
	s, err := openStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, request := range []string{"", "drop all", "get", "set x"} {
		if got, err := s.do(request); err == nil {
			t.Errorf("%q gave %q", request, got)
		}
	}
}

func TestMigrateRunsOnce(t *testing.T) {
	db := settings{listen: freeAddress(t), data: t.TempDir()}
	start(t, "db", db)
	s := settings{db: db.listen, data: t.TempDir(), schema: "7", version: "2"}
	if err := migrate(t.Context(), s, io.Discard); err != nil {
		t.Fatal(err)
	}
	if got, err := ask(t.Context(), s.db, "get", "schema"); err != nil || got != "7" {
		t.Errorf("schema is %q, %v; want 7", got, err)
	}
	s.db = freeAddress(t) // a second run that asked a database would fail
	if err := migrate(t.Context(), s, io.Discard); err != nil {
		t.Errorf("second run: %v", err)
	}
}

func TestMigrateFailsWithoutADatabase(t *testing.T) {
	s := settings{db: freeAddress(t), data: t.TempDir(), schema: "7"}
	if err := migrate(t.Context(), s, io.Discard); err == nil {
		t.Fatal("migrated a database that does not answer")
	}
	if entries, err := os.ReadDir(s.data); err != nil || len(entries) != 0 {
		t.Errorf("left %v (%v) although it failed", entries, err)
	}
}

func TestWorkerGoesOnUntilAskedToStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
		defer cancel()
		var out strings.Builder
		if err := run(ctx, []string{"worker"}, fromEnv(func(string) string { return "" }), &out); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(out.String(), "jobs done"); got != 3 {
			t.Errorf("did %d jobs in 3.5 s, want 3:\n%s", got, out.String())
		}
	})
}

func TestUnknownMode(t *testing.T) {
	if err := run(t.Context(), []string{"dance"}, settings{}, io.Discard); err == nil || !strings.Contains(err.Error(), "usage:") {
		t.Errorf("got %v, want the usage", err)
	}
}
