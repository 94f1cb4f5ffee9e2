// Package find is how the apps of a snapshot are found, whatever they are made of:
// one walk, bounded reading of settings, and one answer for all.
package find

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/render/mistake"
	"syncd.io/syncd/internal/render/repo"
)

// Find is one walk through a snapshot.
type Find struct {
	Repo *repo.Repo
	// Start is the directory that holds the apps.
	Start string
	// Apps are what was found.
	Apps    []*Candidate
	refused map[string][]string
}

// Names are the entries of a directory; true for what is no directory. Paths that
// Git has and that were not written are among them.
type Names map[string]bool

// First returns the first of names that is a file here, else nothing.
func (n Names) First(names ...string) string {
	for _, name := range names {
		if n[name] {
			return name
		}
	}
	return ""
}

// Open opens the snapshot of a request. The caller closes its Repo.
func Open(req render.DiscoverRequest) (*Find, error) {
	start, err := repo.Join(".", filepath.ToSlash(req.Path))
	if err != nil {
		return nil, mistake.Rejected("write a directory of the repository", "repo.path %s: %w", req.Path, err)
	}
	r, err := repo.Open(req.Root)
	if err != nil {
		return nil, err
	}
	r.Track(nil, nil, req.Refused)
	return &Find{Repo: r, Start: start, refused: byDirectory(req.Refused)}, nil
}

// byDirectory sorts paths that Git has, and that are too big or unfit to be
// written, by the directory that they are in.
func byDirectory(refused map[string]string) map[string][]string {
	out := map[string][]string{}
	for p := range refused {
		out[path.Dir(p)] = append(out[path.Dir(p)], path.Base(p))
	}
	return out
}

// Walk asks of every directory whether it is an app; below one no other is looked
// for. Names that begin with a dot are the tools' own.
func (f *Find) Walk(ctx context.Context, isApp func(dir string, names Names) bool) error {
	return f.walk(ctx, f.Start, 0, isApp)
}

func (f *Find) walk(ctx context.Context, dir string, depth int, isApp func(dir string, names Names) bool) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("find the apps: %w", context.Cause(ctx))
	}
	entries, err := f.Repo.ReadDir(dir)
	if err != nil {
		return mistake.Rejected("check `repo.path` in syncd.yaml", "read the directory %s: %w", dir, err)
	}
	names := Names{}
	for _, name := range f.refused[dir] {
		names[name] = true
	}
	for _, e := range entries {
		names[e.Name()] = !e.IsDir()
	}
	if isApp(dir, names) {
		f.Apps = append(f.Apps, &Candidate{App: render.App{Dir: dir}})
		return nil
	}
	if depth == maxWalk || len(dir) > maxDir {
		return nil
	}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			if err := f.walk(ctx, path.Join(dir, e.Name()), depth+1, isApp); err != nil {
				return err
			}
		}
	}
	return nil
}

// ReadSettings reads the .syncd.yaml of every app. What reading may take in all
// goes to the small apps first.
func (f *Find) ReadSettings(ctx context.Context) error {
	file, answer := NewShare(allSettings, Settings+" files"), NewShare(allSettings, "settings")
	return f.Each(ctx, func(c *Candidate) int64 { return f.Repo.Size(c.Settings()) },
		func(c *Candidate) error { return f.readSettings(c, file, answer) })
}

// Each does something for every app without an error, the smallest first, and
// keeps what goes wrong. The returned error is the context's.
func (f *Find) Each(ctx context.Context, size func(*Candidate) int64, do func(*Candidate) error) error {
	for _, c := range f.smallestFirst(size) {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("find the apps: %w", context.Cause(ctx))
		}
		c.Fail(do(c))
	}
	return nil
}

// smallestFirst returns the apps without an error in the order of their sizes.
func (f *Find) smallestFirst(size func(*Candidate) int64) []*Candidate {
	for _, c := range f.Apps {
		if c.Err == nil {
			c.Size = size(c)
		}
	}
	out := slices.DeleteFunc(slices.Clone(f.Apps), func(c *Candidate) bool { return c.Err != nil })
	slices.SortFunc(out, func(x, y *Candidate) int { return cmp.Or(cmp.Compare(x.Size, y.Size), cmp.Compare(x.Dir, y.Dir)) })
	return out
}
