package compose

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/loader"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render"
)

// settingsFile is what Git says about one app.
const settingsFile = ".syncd.yaml"

// composeFiles are the names that Compose looks for, the first one wins;
// overrideFiles those of the file that is put on top.
func composeFiles() []string {
	return []string{"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"}
}

func overrideFiles() []string {
	return []string{"compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"}
}

// Discover finds every app directory of a snapshot: those that hold a Compose
// file or a .syncd.yaml and are not part of another app. A broken app carries
// its own error and breaks no other. An error is returned only where the
// snapshot as a whole cannot be read.
func Discover(ctx context.Context, req render.DiscoverRequest) (render.Discovery, error) {
	r, err := openRepo(req.Root)
	if err != nil {
		return render.Discovery{}, err
	}
	defer r.root.Close()
	start, err := join(".", filepath.ToSlash(req.Path))
	if err != nil {
		return render.Discovery{}, rejected("write a directory of the repository", "repo.path %s: %w", req.Path, err)
	}
	r.track(nil, req.Refused)
	d := discovery{repo: r, start: start}
	if err := d.walk(ctx, start, 0); err != nil {
		return render.Discovery{}, err
	}
	slices.SortFunc(d.apps, func(x, y render.App) int { return cmp.Compare(x.Dir, y.Dir) })
	d.unique()
	return render.Discovery{Apps: d.apps}, nil
}

// discovery is one walk through a snapshot.
type discovery struct {
	repo  *repo
	start string
	apps  []render.App
}

// walk looks into one directory. Names that begin with a dot are the tools' own.
func (d *discovery) walk(ctx context.Context, dir string, depth int) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("find the apps: %w", context.Cause(ctx))
	}
	entries, err := fs.ReadDir(d.repo.root.FS(), dir)
	if err != nil {
		return rejected("check `repo.path` in syncd.yaml", "read the directory %s: %w", dir, plain(err))
	}
	names := map[string]bool{}
	for p := range d.repo.refused { // in Git, and too big or unfit to be written
		if path.Dir(p) == dir {
			names[path.Base(p)] = true
		}
	}
	for _, e := range entries {
		names[e.Name()] = !e.IsDir()
	}
	if holdsApp(names) {
		if d.apps = append(d.apps, d.app(dir)); len(d.apps) > maxApps {
			return rejected("", "more than %d apps in the repository", maxApps)
		}
		return nil
	}
	if depth == maxWalk {
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

// app reads what one directory says about itself.
func (d *discovery) app(dir string) render.App {
	out := render.App{Dir: dir}
	if err := d.read(&out); err != nil {
		text := message(err, d.repo.base, nil)
		out.Error, out.Hint = text, fault.Advice(err)
		out.Name = cmp.Or(out.Name, loader.NormalizeProjectName(path.Base(dir)))
	}
	return out
}

func (d *discovery) read(out *render.App) error {
	file := path.Join(out.Dir, settingsFile)
	if d.repo.exists(file) {
		data, err := d.repo.read(file, maxFile)
		if err != nil {
			return err
		}
		if out.Config, err = config.DecodeApp(file, data); err != nil {
			return err
		}
	}
	written, file, err := d.written(*out)
	if err != nil {
		return err
	}
	out.Name, err = d.name(*out, written, file)
	return err
}

// written returns the name: of the app's Compose files, the last one wins, and
// the file that says it.
func (d *discovery) written(app render.App) (name, file string, err error) {
	a := newApp(render.Request{App: app}, d.repo)
	files, err := a.files()
	if err != nil {
		return "", "", err
	}
	for _, f := range files {
		data, err := d.repo.read(f, maxFile)
		if err != nil {
			return "", "", err
		}
		docs, err := parse(f, data)
		if err != nil {
			return "", "", err
		}
		for _, doc := range docs {
			if text, ok := doc.tree["name"].(string); ok && text != "" {
				name, file = text, f
			}
		}
	}
	return name, file, nil
}

// name is that of the Compose file, else of .syncd.yaml, else the directory's,
// in Compose's own form: lower case, letters, digits, - and _.
func (d *discovery) name(app render.App, written, file string) (string, error) {
	if strings.Contains(written, "$") {
		return "", rejected("write the name itself; what is called by it must not change with a variable", "%s: name: %s holds a variable", file, written)
	}
	own := path.Join(app.Dir, settingsFile)
	if written == "" {
		written, file = app.Config.Name, own
	}
	if written == "" {
		if app.Dir == d.start || app.Dir == "." {
			return "", rejected("write `name:` into the Compose file or into "+own, "%s: the app at the root of the repository has no name", app.Dir)
		}
		written, file = path.Base(app.Dir), app.Dir
	}
	name := loader.NormalizeProjectName(written)
	if name == "" {
		return "", rejected("a name has a letter or a digit", "%s: %q is no name of a project", file, written)
	}
	return name, nil
}

// unique marks apps that share a name.
func (d *discovery) unique() {
	byName := map[string][]int{}
	for i, app := range d.apps {
		byName[app.Name] = append(byName[app.Name], i)
	}
	for name, group := range byName {
		if len(group) < 2 || name == "" {
			continue
		}
		var dirs []string
		for _, i := range group {
			dirs = append(dirs, d.apps[i].Dir)
		}
		for _, i := range group {
			if d.apps[i].Error == "" {
				d.apps[i].Error = fmt.Sprintf("several apps are called %s: %s", name, strings.Join(dirs, ", "))
				d.apps[i].Hint = "give each its own `name:` in " + settingsFile + " or in its Compose file"
			}
		}
	}
}
