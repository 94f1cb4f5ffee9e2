package kube

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"

	"syncd.io/syncd/internal/render/find"
	"syncd.io/syncd/internal/render/kube/kustomize"
	"syncd.io/syncd/internal/render/repo"
	"syncd.io/syncd/internal/render/syntax"
)

// leaveOut takes out what is there for others: directories that a kustomization or
// another app's settings build on, components, and library charts. One whose own
// settings speak of a cluster stays: its author said so.
func (d *discovery) leaveOut(ctx context.Context) error {
	used, nothing := map[string]bool{}, map[string]bool{}
	share := find.NewShare(allKustomizations, "kustomizations")
	for _, c := range d.smallestFirst() {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("find the apps: %w", context.Cause(ctx))
		}
		uses, alone := d.uses(c, share)
		for _, dir := range uses {
			used[dir] = true
		}
		nothing[c.Dir] = !alone
	}
	d.Apps = slices.DeleteFunc(d.Apps, func(c *find.Candidate) bool {
		said := find.Says(d.Repo.Head(c.Settings(), maxHead), "kubernetes")
		return !said && c.Err == nil && (used[c.Dir] || nothing[c.Dir])
	})
	return nil
}

// smallestFirst are the apps in the order of the sizes of their kustomizations.
func (d *discovery) smallestFirst() []*find.Candidate {
	size := map[*find.Candidate]int64{}
	for _, c := range d.Apps {
		size[c] = d.Repo.Size(d.kustomization(d.built(c)))
	}
	return slices.SortedStableFunc(slices.Values(d.Apps), func(x, y *find.Candidate) int { return cmp.Compare(size[x], size[y]) })
}

// built is the directory that an app is built from, as its settings say.
func (d *discovery) built(c *find.Candidate) string {
	dir := c.Dir
	if written, err := newVariables(d.values).fill(c.Config.Kubernetes.Path); err == nil {
		if joined, err := repo.Join(c.Dir, written); err == nil {
			dir = joined
		}
	}
	return dir
}

// kustomization is the path of the one in a directory; "" where there is none.
func (d *discovery) kustomization(dir string) string {
	for _, name := range find.Kustomizations() {
		if p := path.Join(dir, name); d.Repo.Size(p) > 0 {
			return p
		}
	}
	return ""
}

// uses are the directories outside an app's own that it is built on, and whether it
// is something by itself. Reading its kustomization takes of the share of all.
func (d *discovery) uses(c *find.Candidate, share *find.Share) (dirs []string, alone bool) {
	dir := d.built(c)
	if dir, err := d.Repo.Follow(dir); err == nil && dir != c.Dir {
		dirs = append(dirs, dir)
	}
	name := d.kustomization(dir)
	if name == "" {
		return dirs, !library(d.Repo.Head(path.Join(dir, find.Chart), maxHead))
	}
	data := d.Repo.Head(name, maxKustomization)
	if err := share.Take(c, int64(len(data))); err != nil {
		c.Fail(err)
		return dirs, true
	}
	paths, component := kustomize.Uses([]byte(data))
	if err := share.Take(c, int64(len(paths))*costOfPath); err != nil {
		c.Fail(err)
		return dirs, true
	}
	for _, p := range paths {
		dirs = append(dirs, d.around(dir, p, c.Dir)...)
	}
	return dirs, !component
}

// around is the directory that a path of a kustomization names, or that holds what
// it names, where it is not the app's own.
func (d *discovery) around(dir, written, own string) []string {
	joined, err := repo.Join(dir, written)
	if err != nil {
		return nil
	}
	if joined, err = d.Repo.Follow(joined); err != nil {
		return nil
	}
	if !d.Repo.IsDir(joined) {
		joined = path.Dir(joined)
	}
	if joined == own || joined == dir || within(own, joined) {
		return nil
	}
	return []string{joined}
}

// within tells whether a directory lies in another one.
func within(dir, other string) bool {
	return other == "." || len(dir) > len(other) && dir[:len(other)] == other && dir[len(other)] == '/'
}

// library tells of a chart that others are made with.
func library(chart string) bool {
	_, kind := syntax.Child(syntax.Root([]byte(chart)), "type")
	kind = syntax.Target(kind)
	return kind != nil && kind.Value == "library"
}
