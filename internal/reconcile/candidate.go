package reconcile

import (
	"context"
	"fmt"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// candidate is the set that a revision asks for.
type candidate struct {
	set state.Set
	// mounts are to be materialised; empty where the set was stored with them.
	mounts []render.Mount
	// root is the snapshot that mounts are copied from.
	root  string
	notes []string
}

// candidate returns what the catalog asks of the app. It renders only when
// something that the last rendering read has changed.
func (w *worker) candidate(ctx context.Context, c *catalog, rec state.Record) (*candidate, error) {
	app := c.apps[w.name]
	if app.Error != "" {
		return nil, fault.Hint(fault.As(fault.Rejected, fmt.Errorf("%s: %s", app.Dir, app.Error)), app.Hint)
	}
	if known := w.kept(c, rec); known != nil {
		return known, nil
	}
	hostDir := hostDirOf(app, rec)
	if c.doubt != nil {
		return nil, c.doubt
	}
	if err := take(ctx, w.drawing); err != nil {
		return nil, err
	}
	defer func() { <-w.drawing }()
	if known := w.known(c, app.Dir, hostDir, rec); known != nil { // somebody else had it rendered meanwhile
		return known, nil
	}
	w.why("rendered: nothing known was made of what it reads at %s", c.snapshot.Revision.Short())
	cand, err := w.render(ctx, c, app, hostDir)
	if err != nil && hostDir == "" {
		err = w.orAdopt(ctx, err)
	}
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.rendered = cand
	w.mu.Unlock()
	own := *cand // what is kept for others to read is not pinned in place
	return &own, nil
}

// orAdopt names the other way out of an error for want of a directory on the
// host: what runs has one, and brings it along when it is taken over.
func (w *worker) orAdopt(ctx context.Context, err error) error {
	origins, ok := w.agent.opts.Engine.(Origins)
	if !ok || fault.Of(err) != fault.Blocked {
		return err
	}
	origin, asked := origins.Origin(ctx, w.name)
	if asked != nil || origin.Dir == "" || len(origin.Refs) == 0 {
		return err // nothing is known of another way
	}
	return fault.Hint(err, fmt.Sprintf("what runs as %s was started in %s; to take it over with its data: syncd adopt %s", w.name, origin.Dir, w.name))
}

func hostDirOf(app render.App, rec state.Record) string {
	if app.Config.HostDir != "" {
		return app.Config.HostDir
	}
	return rec.HostDir
}

// kept is what the app asks for, where that needs no rendering; nil where it does.
func (w *worker) kept(c *catalog, rec state.Record) *candidate {
	app := c.apps[w.name]
	if app.Error != "" {
		return nil
	}
	known := w.known(c, app.Dir, hostDirOf(app, rec), rec)
	if known != nil {
		w.why("not rendered: nothing that it reads has changed")
	}
	return known
}

// known returns the set whose inputs are what the catalog has: the last
// rendering, the attempt under way, or the good one.
func (w *worker) known(c *catalog, dir, hostDir string, rec state.Record) *candidate {
	w.mu.Lock()
	last := w.rendered
	w.mu.Unlock()
	if last != nil && w.gives(c, dir, hostDir, last.set) {
		renewed := *last
		renewed.set.Revision = c.snapshot.Revision
		renewed.root = c.snapshot.Dir
		return &renewed
	}
	if rec.Attempt != nil && !rec.Attempt.Back && w.gives(c, dir, hostDir, rec.Attempt.Set) {
		return stored(rec.Attempt.Set, c)
	}
	if rec.Good != nil && w.gives(c, dir, hostDir, *rec.Good) {
		return stored(*rec.Good, c)
	}
	return nil
}

func stored(set state.Set, c *catalog) *candidate {
	set.Revision = c.snapshot.Revision
	return &candidate{set: set}
}

func (c *catalog) gives(dir, hostDir string, set state.Set) bool {
	return set.Inputs != "" && set.Inputs == c.inputs(dir, hostDir, set.Paths, set.Variables)
}

// match tells whether a catalog was found to give the set of these inputs. Every app
// that changes asks all others what they want.
type match struct {
	catalog         *catalog
	hostDir, inputs string
	same            bool
}

// gives is the catalog's, worked out once.
func (w *worker) gives(c *catalog, dir, hostDir string, set state.Set) bool {
	w.mu.Lock()
	m := w.match
	w.mu.Unlock()
	if m.catalog == c && m.hostDir == hostDir && m.inputs == set.Inputs {
		return m.same
	}
	same := c.gives(dir, hostDir, set)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.match = match{c, hostDir, set.Inputs, same}
	return same
}

func (w *worker) render(ctx context.Context, c *catalog, app render.App, hostDir string) (*candidate, error) {
	chart, err := w.agent.chart(ctx, app)
	if err != nil {
		return nil, err
	}
	answer, err := w.agent.opts.Renderer.Render(ctx, render.Request{Shared: c.shared, App: app, Chart: chart, HostDir: hostDir})
	if err != nil {
		return nil, err
	}
	set := state.Set{
		Revision:  c.snapshot.Revision,
		Digest:    resource.Digest(answer.Objects),
		Inputs:    c.inputs(app.Dir, hostDir, answer.Inputs, answer.Variables),
		Paths:     answer.Inputs,
		Variables: answer.Variables,
		Objects:   answer.Objects,
		Since:     w.agent.opts.Now(),
	}
	for _, m := range answer.Mounts {
		set.Mounts = append(set.Mounts, m.Hash)
	}
	return &candidate{set: set, mounts: answer.Mounts, root: c.snapshot.Dir, notes: answer.Notes}, nil
}

// chart has the app's chart fetched where it is not in the repository; without one
// the file is empty. Which chart that is, its digest included, stands in the app's
// settings, which are an input already.
func (a *Agent) chart(ctx context.Context, app render.App) (file string, err error) {
	want := app.Config.Kubernetes.Helm.Chart
	switch {
	case want.Repo == "":
		return "", nil
	case a.opts.Charts == nil:
		return "", fault.As(fault.Blocked, fmt.Errorf("app %s names a chart, and nothing here fetches one", app.Name))
	}
	return a.opts.Charts.Fetch(ctx, want)
}

// materialise writes the files that the set's containers mount, each at a place
// named by its content.
func (a *Agent) materialise(ctx context.Context, cand *candidate) error {
	for _, m := range cand.mounts {
		source := state.MountSource{Hash: m.Hash, Name: m.Name, Path: m.Path, Content: m.Content, Mode: m.Mode, UID: m.UID, GID: m.GID}
		if err := a.opts.Mounts.Put(ctx, cand.root, source); err != nil {
			return fmt.Errorf("write the files that containers mount: %w", err)
		}
	}
	return nil
}
