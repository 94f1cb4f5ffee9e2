package kube_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/kube"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/kubetest"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/sandbox"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/state"
)

const (
	// passLimit bounds one pass of a test.
	passLimit = 4 * time.Minute
	// shop is the app that most tests are about.
	shop = "shop"
)

// place is one test's part of a cluster: a namespace, a repository, a state
// directory, and the agent between them.
type place struct {
	t         testing.TB
	access    *kubetest.Access
	namespace string
	repo      string
	state     string
	// kubeconfig is in whose name the agent comes.
	kubeconfig string
	// around wraps the target of each app; nil leaves it as it is.
	around func(*kube.Target) apply.Target

	mu     sync.Mutex
	events []reconcile.Event
}

// newPlace makes a place on the shared cluster, where tests run side by side.
func newPlace(t *testing.T) *place {
	t.Helper()
	access := kubetest.Shared(t)
	t.Parallel()
	return placeOn(t, access)
}

func placeOn(t testing.TB, access *kubetest.Access) *place {
	t.Helper()
	p := &place{t: t, access: access, namespace: access.Namespace(t), repo: t.TempDir(), state: t.TempDir(), kubeconfig: access.Kubeconfig()}
	p.git("init", "--quiet", "--initial-branch=main")
	p.settings("")
	return p
}

// git runs the git program in the repository.
func (p *place) git(args ...string) string {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), "git", append([]string{"-c", "user.name=Dev", "-c", "user.email=dev@example.org"}, args...)...)
	cmd.Dir = p.repo
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// place puts a file anywhere into the repository. SPACE is filled in.
func (p *place) place(name, content string) {
	p.t.Helper()
	path := filepath.Join(p.repo, name)
	p.must(os.MkdirAll(filepath.Dir(path), 0o755))
	p.must(os.WriteFile(path, []byte(strings.ReplaceAll(content, "SPACE", p.namespace)), 0o644))
}

// settings writes the app's .syncd.yaml, with clocks that suit a test.
func (p *place) settings(more string) { p.settingsOf(shop, more) }

func (p *place) settingsOf(app, more string) {
	p.t.Helper()
	if !strings.Contains(more, "kubernetes:") {
		more += "kubernetes: {namespace: SPACE}\n"
	}
	if !strings.Contains(more, "rollout:") {
		more += "rollout: {soak: 200ms, timeout: 40s}\n"
	}
	p.place(app+"/.syncd.yaml", more)
}

// merge commits all that was written, and returns the commit.
func (p *place) merge(subject string) string {
	p.t.Helper()
	p.git("add", "--all")
	p.git("commit", "--quiet", "--allow-empty", "-m", subject)
	return p.git("rev-parse", "HEAD")
}

// deploy writes the app's manifests and merges them.
func (p *place) deploy(manifests ...string) string {
	p.t.Helper()
	return p.deployApp(shop, manifests...)
}

func (p *place) deployApp(app string, manifests ...string) string {
	p.t.Helper()
	p.place(app+"/manifests.yaml", strings.Join(manifests, "\n---\n"))
	return p.merge("change " + app)
}

// agent opens an agent on the place's state, which it holds until closed.
func (p *place) agent(change ...func(*reconcile.Options)) (*reconcile.Agent, func()) {
	p.t.Helper()
	a, done, err := p.tryAgent(change...)
	p.must(err)
	return a, done
}

func (p *place) tryAgent(change ...func(*reconcile.Options)) (_ *reconcile.Agent, done func(), err error) {
	p.t.Helper()
	child := sandbox.Child{Path: renderer(p.t)}
	src, err := source.Open(source.Options{URL: p.repo, Dir: filepath.Join(p.state, "source"), Child: child})
	p.must(err)
	store, err := state.Open(p.state)
	p.must(err)
	eng, err := kube.Open(p.t.Context(), kube.Options{Kubeconfig: p.kubeconfig, Agent: store.ID(), Version: "test"})
	if err != nil {
		src.Close()
		p.must(store.Close())
		return nil, nil, err
	}
	conf := config.Host{State: p.state, Repo: config.Repo{URL: p.repo}, Kubernetes: &config.Kubernetes{Kubeconfig: p.kubeconfig}}.Defaults()
	conf.Repo.Interval = config.Duration(200 * time.Millisecond)
	opts := reconcile.Options{
		Host: conf, Source: src, Renderer: &render.Child{Sandbox: child}, Engine: engine{eng, p.around},
		Store: store, Mounts: state.Mounts{Dir: filepath.Join(p.state, "mounts")}, Hear: p.hear,
	}
	for _, c := range change {
		c(&opts)
	}
	a, err := reconcile.New(opts)
	p.must(err)
	return a, func() {
		src.Close()
		p.must(eng.Close())
		p.must(store.Close())
	}, nil
}

// engine is the cluster as the agent sees it.
type engine struct {
	*kube.Engine
	around func(*kube.Target) apply.Target
}

// Target returns the place of one app.
func (e engine) Target(app string) apply.Target {
	if e.around != nil {
		return e.around(e.Engine.Target(app))
	}
	return e.Engine.Target(app)
}

// sync makes one pass over the app, with an agent of its own: it remembers what is
// on record, and nothing else.
func (p *place) sync() reconcile.Result {
	p.t.Helper()
	return p.syncAll(shop)[0]
}

// syncAll makes one pass over each of the named apps.
func (p *place) syncAll(apps ...string) []reconcile.Result {
	p.t.Helper()
	a, done := p.agent()
	defer done()
	return p.passOver(a, apps...)
}

func (p *place) passOver(a *reconcile.Agent, apps ...string) []reconcile.Result {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.t.Context(), passLimit)
	defer stop()
	results, err := a.Sync(ctx, reconcile.SyncRequest{Apps: apps, Who: "test"}, nil)
	p.must(err)
	return results
}

// wantOutcome fails the test unless a pass ended with this outcome, and says all
// these words about it.
func (p *place) wantOutcome(res reconcile.Result, outcome reconcile.Outcome, words ...string) reconcile.Result {
	p.t.Helper()
	if res.Outcome != outcome {
		p.t.Fatalf("the pass ended %s (%s; hint: %s), want %s\n%s\n%s", res.Outcome, res.Reason, res.Hint, outcome, res.Plan, p.story())
	}
	for _, word := range words {
		if !strings.Contains(res.Reason+"\n"+res.Hint, word) {
			p.t.Errorf("%q is missing in the reason %q, hint %q", word, res.Reason, res.Hint)
		}
	}
	return res
}

// deployed merges manifests and makes the pass that applies them.
func (p *place) deployed(manifests ...string) string {
	p.t.Helper()
	commit := p.deploy(manifests...)
	p.wantOutcome(p.sync(), reconcile.Applied)
	return commit
}

// settled fails the test unless a second pass finds nothing to do.
func (p *place) settled() {
	p.t.Helper()
	p.wantOutcome(p.sync(), reconcile.Unchanged)
}

// record reads the app's record from the state directory.
func (p *place) record() state.Record {
	p.t.Helper()
	store, err := state.Open(p.state)
	p.must(err)
	defer func() { p.must(store.Close()) }()
	rec, err := store.Record(shop)
	p.must(err)
	return rec
}

// act says a word about the app, with an agent of its own.
func (p *place) act(verb string, req reconcile.ActRequest) reconcile.ActResult {
	p.t.Helper()
	a, done := p.agent()
	defer done()
	req.App, req.Who = shop, "ada"
	ctx, stop := context.WithTimeout(p.t.Context(), passLimit)
	defer stop()
	out, err := a.Act(ctx, verb, req, nil)
	p.must(err)
	return out
}

func (p *place) hear(e reconcile.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events = append(p.events, e)
}

// story is what the agent told, one event a line.
func (p *place) story() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	for _, e := range p.events {
		if e.Step != nil && e.Step.Phase != apply.Waiting {
			fmt.Fprintf(&b, "%s %-9s %s %s\n", e.At.Format("05.000"), e.Step.Phase, e.Step.Step, e.Step.Detail)
		}
		if e.Text != "" {
			fmt.Fprintf(&b, "%s %s\n", e.At.Format("05.000"), e.Text)
		}
		if e.Result != nil {
			fmt.Fprintf(&b, "%s = %s %s\n", e.At.Format("05.000"), e.Result.Outcome, e.Result.Reason)
		}
	}
	return b.String()
}

func (p *place) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}
