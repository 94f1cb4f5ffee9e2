package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/source"
)

// catalog is one revision with the apps that it holds for this host, and the
// host's own values at that time. It never changes, but for what the board learns.
type catalog struct {
	snapshot source.Snapshot
	tracked  map[string]string // path -> "mode hash"
	refused  map[string]string
	paths    []string // sorted
	// shared is what the apps are rendered with.
	shared *render.Shared
	apps   map[string]render.App
	// dependents are the apps that wait for another to be good, by its name.
	dependents map[string][]string
	// elsewhere are apps whose host selector does not match this host.
	elsewhere map[string]render.App
	values    map[string]string
	secret    []string
	valueHash string
	// usualAccount is the host's for apps that name none.
	usualAccount string
	// board finds the apps that want a thing.
	board *board
	// doubt is why the revision, which was accepted once, would not be any more; nil
	// where it would.
	doubt error
	// blind tells that no revision could be seen, and that what is known is the
	// record alone.
	blind bool
}

// blind is the catalog of an agent that has not seen its repository yet.
func blind() *catalog { return &catalog{blind: true, board: &board{}} }

// look asks the repository for the wanted revision and loads it if it is new.
// It costs one ref query when nothing changed.
func (a *Agent) look(ctx context.Context) (*catalog, error) {
	if err := take(ctx, a.looking); err != nil {
		return nil, err
	}
	defer func() { <-a.looking }()
	before := a.catalog.Load()
	c, err := a.lookNow(ctx)
	a.whySeen(before, c, err)
	a.tellRemotes(err)
	if err != nil {
		a.sourceErr.Store(&err)
		a.standBy(ctx)
		a.reconsider(ctx)
		return a.catalog.Load(), err
	}
	a.sourceErr.Store(nil)
	a.catalog.Store(c)
	return c, nil
}

func (a *Agent) lookNow(ctx context.Context) (*catalog, error) {
	c, err := a.hostValues()
	if err != nil {
		return nil, err
	}
	commit, err := a.opts.Source.Resolve(ctx)
	switch {
	case unsigned(err): // it says itself what was looked at
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("look at the repository: %w", err)
	}
	last := a.catalog.Load()
	if last != nil && last.snapshot.Revision.Commit == commit && last.valueHash == c.valueHash {
		return last.doubted(nil), a.accept(commit) // another ref may name it now
	}
	if err := a.refused(commit); err != nil {
		return nil, err
	}
	if c.snapshot, err = a.opts.Source.Load(ctx, commit); err != nil {
		return nil, fmt.Errorf("load revision %.10s: %w", commit, err)
	}
	if err := a.open(ctx, c); err != nil {
		a.refuse(commit, err)
		return nil, err
	}
	if err := a.accept(commit); err != nil {
		return nil, err
	}
	return c, a.admit(c)
}

// hostValues begins a catalog with the host's own values as they are now.
func (a *Agent) hostValues() (*catalog, error) {
	values, secret, hash, err := config.Values(a.opts.Host.Host)
	if err != nil {
		return nil, fmt.Errorf("read the host's values: %w", err)
	}
	return &catalog{values: values, secret: secret, valueHash: hash, usualAccount: a.opts.Host.Account(), board: &board{}}, nil
}

// open finds the apps of the catalog's snapshot.
func (a *Agent) open(ctx context.Context, c *catalog) error {
	s := c.snapshot
	c.apps, c.elsewhere, c.dependents = map[string]render.App{}, map[string]render.App{}, map[string][]string{}
	c.tracked, c.refused = s.Tracked()
	found, err := a.opts.Renderer.Discover(ctx, render.DiscoverRequest{
		Root: s.Dir, Path: a.opts.Host.Repo.Path, Refused: c.refused,
		Kubernetes: a.onCluster(), Values: c.values,
	})
	if err != nil {
		return fmt.Errorf("revision %s: %w", s.Revision.Short(), err)
	}
	c.paths = slices.Sorted(maps.Keys(c.tracked))
	c.shared = &render.Shared{
		Root: s.Dir, Kubernetes: a.onCluster(), Values: c.values, Secret: c.secret,
		Tracked: c.tracked, Paths: c.paths, Refused: c.refused,
	}
	for _, app := range found.Apps {
		if app.Config.Hosts.Matches(a.opts.Host.Host.Labels) {
			c.apps[app.Name] = app
			for _, need := range app.Config.DependsOn {
				c.dependents[need] = append(c.dependents[need], app.Name)
			}
		} else {
			c.elsewhere[app.Name] = app
		}
	}
	return nil
}

// admit makes a worker for every app of the catalog.
func (a *Agent) admit(c *catalog) error {
	for name := range c.apps {
		if err := a.meet(name); err != nil {
			return err
		}
	}
	return nil
}

// below returns the tracked files under a directory, in order.
func (c *catalog) below(dir string) []string {
	if dir == "./" || dir == "" {
		return c.paths
	}
	from := sort.SearchStrings(c.paths, dir)
	to := from
	for to < len(c.paths) && strings.HasPrefix(c.paths[to], dir) {
		to++
	}
	return c.paths[from:to]
}
