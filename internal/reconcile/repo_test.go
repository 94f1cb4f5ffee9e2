package reconcile_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/source"
)

// repo is a repository in memory: it is Source and Renderer at once. A commit
// is what its apps render to.
type repo struct {
	mu      sync.Mutex
	commits []map[string]appFiles
	down    error
	dirs    map[string]string // app -> directory, where it is not the name
	// resolved and rendered count the questions.
	resolved, rendered int
	// before is called before a rendering, asking before a ref query; nil is nothing.
	before, asking func()
	kept           []string
	chart          string // the chart's file of the last rendering
}

// appFiles is one app in one commit.
type appFiles struct {
	objects []resource.Object
	config  config.App
	broken  string
	// unread is why the settings cannot be read.
	unread string
	// homeless apps need a directory on the host.
	homeless bool
}

// merge adds a commit with these apps.
func (r *repo) merge(apps map[string]appFiles) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.commits = append(r.commits, apps)
}

// shop merges a commit with one app, called shop.
func (r *repo) shop(objects ...resource.Object) {
	r.merge(map[string]appFiles{"shop": {objects: objects}})
}

func (r *repo) Resolve(context.Context) (string, error) {
	r.mu.Lock()
	asking := r.asking
	r.mu.Unlock()
	if asking != nil {
		asking()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resolved++
	if r.down != nil {
		return "", r.down
	}
	return commitName(len(r.commits) - 1), nil
}

// fail makes the repository unreachable, or reachable again.
func (r *repo) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = err
}

// onRender sets what happens before a rendering.
func (r *repo) onRender(do func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.before = do
}

// onResolve sets what happens before a ref query.
func (r *repo) onResolve(do func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asking = do
}

// asked is how often it was asked for its ref, and for a rendering, since it
// forgot that.
func (r *repo) asked() (resolved, rendered int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.resolved, r.rendered
}

func (r *repo) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resolved, r.rendered = 0, 0
}

func commitName(n int) string { return fmt.Sprintf("%040d", n) }

func (r *repo) ResolveRef(_ context.Context, name string) (string, error) { return name, nil }

func (r *repo) Collect(keep ...string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept = keep
	return nil
}

// collected is what was kept when snapshots were collected last.
func (r *repo) collected() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kept
}

func (r *repo) Load(_ context.Context, commit string) (source.Snapshot, error) {
	s := source.Snapshot{Revision: source.Revision{Commit: commit, Author: "Dev", Subject: "change"}, Dir: commit}
	for name, app := range r.at(commit) {
		s.Files = append(s.Files, source.File{Path: name + "/compose.yaml", Mode: 0o100644, Hash: app.hash()})
	}
	slices.SortFunc(s.Files, func(a, b source.File) int { return strings.Compare(a.Path, b.Path) })
	return s, nil
}

func (a appFiles) hash() string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s %s %s %v", resource.Digest(a.objects), a.broken, a.unread, a.config)
	return fmt.Sprintf("%x", sum.Sum(nil))
}

func (r *repo) at(commit string) map[string]appFiles {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, err := strconv.Atoi(strings.TrimLeft(commit, "0"))
	if err != nil {
		n = 0
	}
	return r.commits[n]
}

func (r *repo) Discover(_ context.Context, req render.DiscoverRequest) (render.Discovery, error) {
	var d render.Discovery
	for name, app := range r.at(req.Root) {
		dir := name
		if r.dirs[name] != "" {
			dir = r.dirs[name]
		}
		d.Apps = append(d.Apps, render.App{Name: name, Dir: dir, Config: app.config, Error: app.unread})
	}
	return d, nil
}

func (r *repo) Render(_ context.Context, req render.Request) (render.Answer, error) {
	app := r.at(req.Root)[req.App.Name]
	r.mu.Lock()
	r.rendered++
	r.chart = req.Chart
	before := r.before
	r.mu.Unlock()
	if before != nil {
		before()
	}
	if app.broken != "" {
		return render.Answer{}, fault.As(fault.Rejected, fmt.Errorf("%s", app.broken))
	}
	if app.homeless && req.HostDir == "" {
		return render.Answer{}, fault.Hint(fault.As(fault.Blocked, fmt.Errorf("the app has no hostDir")), "set hostDir")
	}
	return render.Answer{Objects: app.objects, Inputs: []string{req.App.Name + "/compose.yaml"}}, nil
}

// service is n slots of a service; spec is a JSON object without its braces.
func service(name string, n int, spec string) []resource.Object {
	var out []resource.Object
	for i := range n {
		out = append(out, resource.Object{
			Key:   resource.Key{Kind: "container", Namespace: name, Name: strconv.Itoa(i + 1)},
			Group: name, Spec: []byte("{" + spec + "}"), Policy: resource.Policy{Parallelism: 1}, Rollback: resource.Policy{Parallelism: 1},
		})
	}
	return out
}

func one(name, spec string) resource.Object { return service(name, 1, spec)[0] }

// job is a one-shot that ends with exit code 0, or as its spec says.
func job(name, spec string, policy resource.Job) resource.Object {
	o := one(name, spec)
	o.Once, o.Job = true, &policy
	return o
}

// needing makes o wait for a group.
func needing(o resource.Object, group string, c resource.Condition) resource.Object {
	o.Needs = append(o.Needs, resource.Need{Group: group, Condition: c, Required: true})
	return o
}

func key(name string) resource.Key {
	return resource.Key{Kind: "container", Namespace: name, Name: "1"}
}
