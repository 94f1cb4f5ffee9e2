package reconcile_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/state"
)

// A changed value file is looked at when it changes, not at the next poll.
func TestChangedEnvFileIsLookedAtAtOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "host.env")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
	}
	write("A=1\n")
	store, err := state.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	w := &world{t: t, repo: &repo{}, target: applytest.NewMemory(), others: map[string]*applytest.Memory{}, dir: t.TempDir(), store: store}
	w.repo.shop(healthy("v1"))
	host := config.Host{Host: config.HostInfo{EnvFiles: []string{file}}}.Defaults()
	host.Repo.Interval = config.Duration(time.Hour)
	agent, err := reconcile.New(reconcile.Options{Host: host, Source: w.repo, Renderer: w.repo, Engine: w, Store: store, Mounts: state.Mounts{Dir: t.TempDir()}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- agent.Run(ctx) }()
	w.polled(ctx, 1)
	write("A=2\n")
	w.polled(ctx, 2)
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// polled waits until the repository was asked n times.
func (w *world) polled(ctx context.Context, n int) {
	w.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		w.repo.mu.Lock()
		asked := w.repo.resolved
		w.repo.mu.Unlock()
		if asked >= n {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			w.t.Fatalf("the repository was asked %d times, want %d", asked, n)
		}
	}
}
