package kube

import (
	"context"
	"io/fs"
	"path"
	"slices"
	"strings"

	"syncd.io/syncd/internal/render/find"
	"syncd.io/syncd/internal/render/mistake"
)

// plain reads the manifests of a directory and of those below it that are no apps
// of their own, in the order of their paths.
func (a *app) plain(ctx context.Context) ([]manifest, error) {
	a.repo.Input(tree(a.dir)) // a file that appears is a change
	l := listing{app: a}
	if err := l.list(ctx, a.dir, 0); err != nil {
		return nil, err
	}
	if len(l.nested) > 0 {
		a.note("%s: no other apps are looked for in this app's directory; ignored: %s", a.dir, find.Few(l.nested))
	}
	var out []manifest
	var errs []error
	for _, file := range l.files {
		if err := a.ended(ctx); err != nil {
			return nil, err
		}
		manifests, err := a.file(file)
		if err != nil {
			errs = append(errs, err)
		}
		out = append(out, manifests...)
		if len(errs) == mistake.MaxProblems {
			break
		}
	}
	if len(errs) > 0 {
		return nil, mistake.Joined(errs)
	}
	return out, nil
}

// tree is a directory as an input: all that lies below it.
func tree(dir string) string { return dir + "/" }

// file reads the manifests of one file; none where it is something else.
func (a *app) file(name string) ([]manifest, error) {
	data, err := a.repo.Read(name, maxFile)
	if err != nil {
		return nil, err
	}
	manifests, err := parse(name, data)
	if err != nil {
		return nil, err
	}
	if len(manifests) == 0 {
		a.note("%s: holds nothing", name)
		return nil, nil
	}
	first := manifests[0].tree
	if first["apiVersion"] == nil && first["kind"] == nil {
		a.note("%s: left out: it has no apiVersion and kind, and so is no manifest", name)
		return nil, nil
	}
	return slices.DeleteFunc(manifests, a.forTools), nil
}

// forTools tells of what looks like a manifest and is meant for a tool, and notes
// that it is left out.
func (a *app) forTools(m manifest) bool {
	group, _ := groupVersion(text(m.tree["apiVersion"]))
	kind := text(m.tree["kind"])
	tool := slices.Contains([]string{"kustomize.config.k8s.io", "kind.x-k8s.io", "skaffold", "k3d.io", "kubeadm.k8s.io", "kubelet.config.k8s.io"}, group)
	if !tool && (group != "" || kind != "Config") {
		return false
	}
	a.note("%s: left out: a %s is a tool's own, and nothing for a cluster", m.at("kind"), m.shown(kind))
	return true
}

// text is a value that should be a string; "" where it is not.
func text(v any) string {
	s, _ := v.(string)
	return s
}

// listing is what lies in a directory of manifests.
type listing struct {
	app    *app
	files  []string
	nested []string // directories that are apps of their own
	size   int64
}

func (l *listing) list(ctx context.Context, dir string, depth int) error {
	if err := l.app.ended(ctx); err != nil {
		return err
	}
	entries, err := l.app.repo.ReadDir(dir)
	if err != nil {
		return l.app.setting("path", "it is relative to the app's directory", "read the directory %s: %w", dir, err)
	}
	for _, e := range l.withRefused(dir, entries) {
		name := path.Join(dir, e.name)
		switch {
		case e.dir && (depth == maxWalk || e.name[0] == '.'):
		case e.dir && l.ofItsOwn(name):
			l.nested = append(l.nested, name)
		case e.dir:
			if err := l.list(ctx, name, depth+1); err != nil {
				return err
			}
		case find.ManifestName(e.name):
			if err := l.add(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// entry is a file or a directory.
type entry struct {
	name string
	dir  bool
}

// withRefused puts the files that were not written among the others: they are not
// passed over as if they were not there.
func (l *listing) withRefused(dir string, entries []fs.DirEntry) []entry {
	var out []entry
	for _, e := range entries {
		out = append(out, entry{e.Name(), e.IsDir()})
	}
	for _, name := range l.app.repo.RefusedIn(dir) {
		out = append(out, entry{name: name})
	}
	slices.SortFunc(out, func(x, y entry) int { return strings.Compare(x.name, y.name) })
	return out
}

// ofItsOwn tells whether a directory below the app's is none of its manifests'.
func (l *listing) ofItsOwn(dir string) bool {
	for _, name := range append(find.Kustomizations(), find.Chart, find.Settings) {
		if l.app.repo.Exists(path.Join(dir, name)) {
			return true
		}
	}
	return false
}

func (l *listing) add(name string) error {
	l.files = append(l.files, name)
	if l.size += l.app.repo.Size(name); l.size > allFiles || len(l.files) > maxFiles {
		return mistake.Rejected("split the app", "%s: more than %d manifest files, or more than %d MiB of them", l.app.dir, maxFiles, allFiles>>20)
	}
	return nil
}
