package compose

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

// settingsFile is what Git says about one app.
const settingsFile = ".syncd.yaml"

// composeFiles are the names that Compose looks for, the first one wins;
// overrideFiles those of the file that is put on top.
func composeFiles() []string { return render.ComposeFiles() }

func overrideFiles() []string {
	return []string{"compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"}
}

// Discover finds every app directory of a snapshot: those that hold a Compose
// file or a .syncd.yaml and are not part of another app. A broken app carries
// its own error and breaks no other: what reading may take in all goes to the
// small apps first. An error is returned only where the snapshot as a whole
// cannot be read.
func Discover(ctx context.Context, req render.DiscoverRequest) (render.Discovery, error) {
	r, err := repo.Open(req.Root)
	if err != nil {
		return render.Discovery{}, err
	}
	defer r.Close()
	start, err := repo.Join(".", filepath.ToSlash(req.Path))
	if err != nil {
		return render.Discovery{}, mistake.Rejected("write a directory of the repository", "repo.path %s: %w", req.Path, err)
	}
	r.Track(nil, req.Refused)
	d := discovery{repo: r, start: start, refused: byDirectory(req.Refused)}
	if err := d.walk(ctx, start, 0); err != nil {
		return render.Discovery{}, err
	}
	if err := d.read(ctx); err != nil {
		return render.Discovery{}, err
	}
	return render.Discovery{Apps: d.answer()}, nil
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

// discovery is one walk through a snapshot.
type discovery struct {
	repo    *repo.Repo
	start   string
	refused map[string][]string
	apps    []*candidate
}

// walk looks into one directory. Names that begin with a dot are the tools' own.
func (d *discovery) walk(ctx context.Context, dir string, depth int) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("find the apps: %w", context.Cause(ctx))
	}
	entries, err := d.repo.ReadDir(dir)
	if err != nil {
		return mistake.Rejected("check `repo.path` in syncd.yaml", "read the directory %s: %w", dir, repo.Plain(err))
	}
	names := map[string]bool{}
	for _, name := range d.refused[dir] {
		names[name] = true
	}
	for _, e := range entries {
		names[e.Name()] = !e.IsDir()
	}
	if holdsApp(names) {
		d.apps = append(d.apps, &candidate{App: render.App{Dir: dir}})
		return nil
	}
	if depth == maxWalk || len(dir) > maxDir {
		return nil
	}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			if err := d.walk(ctx, path.Join(dir, e.Name()), depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func holdsApp(names map[string]bool) bool {
	for _, name := range append(composeFiles(), settingsFile) {
		if names[name] {
			return true
		}
	}
	return false
}

// read reads what the directories say about themselves: first their settings,
// which name their Compose files, then these.
func (d *discovery) read(ctx context.Context) error {
	file, answer := share{left: allSettings, what: settingsFile + " files"}, share{left: allSettings, what: "settings"}
	for _, c := range d.smallestFirst(func(c *candidate) int64 { return d.repo.Size(c.settings()) }) {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("find the apps: %w", context.Cause(ctx))
		}
		c.fail(d.readSettings(c, &file, &answer))
	}
	files := share{left: allCompose, what: "Compose files"}
	for _, c := range d.smallestFirst(func(c *candidate) int64 { c.fail(d.list(c)); return c.size }) {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("find the apps: %w", context.Cause(ctx))
		}
		c.fail(d.readName(c, &files))
	}
	return nil
}

// smallestFirst returns the apps without an error in the order of their sizes.
func (d *discovery) smallestFirst(size func(*candidate) int64) []*candidate {
	for _, c := range d.apps {
		if c.err == nil {
			c.size = size(c)
		}
	}
	out := slices.DeleteFunc(slices.Clone(d.apps), func(c *candidate) bool { return c.err != nil })
	slices.SortFunc(out, func(x, y *candidate) int { return cmp.Or(cmp.Compare(x.size, y.size), cmp.Compare(x.Dir, y.Dir)) })
	return out
}
