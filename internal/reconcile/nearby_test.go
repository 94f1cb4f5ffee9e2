package reconcile_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/state"
)

// nearby is a repository on this machine, made of bundles.
type nearby struct {
	*repo
	looks chan func()

	mu      sync.Mutex
	bundles []source.BundleState
	asked   chan struct{} // gets something after each question
}

func (n *nearby) Watch(ctx context.Context, look func(), trouble func(error)) {
	trouble(errors.New("only half of it can be watched"))
	n.looks <- look
	<-ctx.Done()
}

func (n *nearby) Bundles() []source.BundleState {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked <- struct{}{}
	return slices.Clone(n.bundles)
}

func (n *nearby) brings(states ...source.BundleState) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.bundles = states
}

// What changes nearby is looked at when it changes; a bundle that is broken is named
// once, and again only after it was well.
func TestWhatIsNearbyIsWatchedAndNamed(t *testing.T) {
	store, err := state.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	w := &world{t: t, repo: &repo{}, target: applytest.NewMemory(), others: map[string]*applytest.Memory{}, dir: t.TempDir(), store: store}
	w.repo.shop(healthy("v1"))
	near := &nearby{repo: w.repo, looks: make(chan func(), 1), asked: make(chan struct{}, 10)}
	host := config.Host{}.Defaults()
	host.Repo.Interval, host.Repo.MaxInterval = config.Duration(time.Hour), config.Duration(time.Hour)
	var mu sync.Mutex
	var heard []string
	agent, err := reconcile.New(reconcile.Options{
		Host: host, Source: near, Renderer: w.repo, Engine: w, Store: store, Mounts: state.Mounts{Dir: t.TempDir()},
		Hear: func(e reconcile.Event) { mu.Lock(); defer mu.Unlock(); heard = append(heard, e.Text) },
	})
	if err != nil {
		t.Fatal(err)
	}
	broken := source.BundleState{File: "/in/a.bundle", State: source.BundleBroken, Reason: "damaged"}
	fresh := source.BundleState{File: "/in/b.bundle", State: source.BundleIncomplete, Fresh: true}
	near.brings(broken, fresh)
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- agent.Run(ctx) }()
	look := <-near.looks
	<-near.asked
	for _, states := range [][]source.BundleState{{broken, fresh}, {{File: "/in/a.bundle", State: source.BundleServes}}, {broken}, {broken}} {
		near.brings(states...)
		look()
		<-near.asked
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	all := strings.Join(heard, "\n")
	if n := strings.Count(all, "bundle a.bundle is broken: damaged"); n != 2 || strings.Contains(all, "b.bundle") || !strings.Contains(all, "only half of it") {
		t.Errorf("heard:\n%s", all)
	}
}
