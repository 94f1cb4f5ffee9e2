package kube

import (
	"context"
	"fmt"
	"path"
	"slices"

	"syncd.io/syncd/internal/render/find"
	"syncd.io/syncd/internal/render/kube/kustomize"
	"syncd.io/syncd/internal/render/repo"
)

// leaveOut takes out what is there for others: directories that a kustomization or
// another app's settings build on, components, and library charts. One whose own
// settings speak of a cluster stays: its author said so.
func (d *discovery) leaveOut(ctx context.Context) error {
	used, nothing := map[string]bool{}, map[string]bool{}
	for _, c := range d.Apps {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("find the apps: %w", context.Cause(ctx))
		}
		uses, alone := d.uses(c)
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

// uses are the directories outside an app's own that it is built on, and whether it
// is something by itself.
func (d *discovery) uses(c *find.Candidate) (dirs []string, alone bool) {
	dir := c.Dir
	if written, err := newVariables(d.values).fill(c.Config.Kubernetes.Path); err == nil {
		if joined, err := repo.Join(c.Dir, written); err == nil {
			dir = joined
		}
	}
	if dir, err := d.Repo.Follow(dir); err == nil && dir != c.Dir {
		dirs = append(dirs, dir)
	}
	for _, name := range find.Kustomizations() {
		data := d.Repo.Head(path.Join(dir, name), maxKustomization)
		if data == "" {
			continue
		}
		paths, component := kustomize.Uses([]byte(data))
		for _, p := range paths {
			dirs = append(dirs, d.around(dir, p, c.Dir)...)
		}
		return dirs, !component
	}
	return dirs, !library(d.Repo.Head(path.Join(dir, find.Chart), maxHead))
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
	manifests, err := parse(find.Chart, []byte(chart))
	return err == nil && len(manifests) == 1 && text(manifests[0].tree["type"]) == "library"
}
