package reconcile_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// world is one host: a repository and a target in memory, a real record on disk.
type world struct {
	t      *testing.T
	repo   *repo
	target *applytest.Memory
	dir    string
	store  *state.Store
	agent  *reconcile.Agent
	// others are the targets of apps besides the shop.
	others map[string]*applytest.Memory
	mu     sync.Mutex // guards others
	// wrap stands between the agent and an app's target; nil is nothing.
	wrap func(*applytest.Memory) apply.Target
}

// within runs a test in a bubble, where waiting costs nothing.
func within(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, repo: &repo{}, target: applytest.NewMemory(), dir: t.TempDir(), others: map[string]*applytest.Memory{}}
		w.restart()
		t.Cleanup(func() { w.must(w.store.Close()) })
		test(t, w)
	})
}

// restart ends the agent, as a crash would, and starts another on its state.
func (w *world) restart(change ...func(*reconcile.Options)) {
	w.t.Helper()
	if w.store != nil {
		w.must(w.store.Close())
	}
	var err error
	w.store, err = state.Open(w.dir)
	w.must(err)
	opts := reconcile.Options{
		Host: config.Host{}.Defaults(), Source: w.repo, Renderer: w.repo, Engine: w,
		Store: w.store, Mounts: state.Mounts{Dir: w.dir + "/mounts"},
	}
	for _, c := range change {
		c(&opts)
	}
	w.agent, err = reconcile.New(opts)
	w.must(err)
}

// Target makes the world an engine: the shop's target, and one for each other
// app.
func (w *world) Target(app string) apply.Target {
	w.mu.Lock()
	defer w.mu.Unlock()
	target := w.target
	if app != "shop" {
		if w.others[app] == nil {
			w.others[app] = applytest.NewMemory()
		}
		target = w.others[app]
	}
	if w.wrap != nil {
		return w.wrap(target)
	}
	return target
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// pass makes one pass over the shop.
func (w *world) pass() reconcile.Result {
	w.t.Helper()
	res, err := w.agent.Sync(w.t.Context(), reconcile.SyncRequest{Apps: []string{"shop"}}, nil)
	w.must(err)
	return res[0]
}

// ends fails the test unless a pass over the shop ends so.
func (w *world) ends(outcome reconcile.Outcome) reconcile.Result {
	w.t.Helper()
	res := w.pass()
	if res.Outcome != outcome {
		w.t.Fatalf("the pass ended %s (%s), want %s\n%s", res.Outcome, res.Reason, outcome, res.Plan)
	}
	return res
}

// act carries out a verb on the shop.
func (w *world) act(verb string, req reconcile.ActRequest) reconcile.ActResult {
	w.t.Helper()
	req.App, req.Who = "shop", "ann"
	res, err := w.agent.Act(w.t.Context(), verb, req, nil)
	w.must(err)
	return res
}

func (w *world) record() state.Record {
	w.t.Helper()
	rec, err := w.store.Record("shop")
	w.must(err)
	return rec
}

func (w *world) status() reconcile.AppStatus {
	w.t.Helper()
	st, err := w.agent.Status(w.t.Context(), []string{"shop"})
	w.must(err)
	return st.Apps[0]
}

// runs fails the test unless exactly one instance with this image runs in the
// slot.
func (w *world) runs(name, image string) resource.Instance {
	w.t.Helper()
	var running []resource.Instance
	for _, i := range w.target.Instances(key(name)) {
		if i.Running {
			running = append(running, i)
		}
	}
	if len(running) != 1 || !contains(running[0].Spec, image) {
		w.t.Fatalf("slot %s holds %v, want one running instance of %s", name, running, image)
	}
	return running[0]
}

func contains(spec []byte, image string) bool {
	var b applytest.Behaviour
	return decode(spec, &b) == nil && b.Image == image
}

// background runs the agent's loop until the test, or the returned function,
// ends it.
func (w *world) background() (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error)
	go func() { done <- w.agent.Run(ctx) }()
	return func() {
		cancel()
		w.must(<-done)
	}
}
