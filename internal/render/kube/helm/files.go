package helm

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/ignore"

	"syncd.io/syncd/internal/fault"
)

// Bounds of what one chart may be, before Helm's own.
const (
	maxDepth = 40        // directories below each other, so that links in a circle end
	maxFiles = 10_000    // files of one chart
	maxFile  = 5 << 20   // bytes of one file: Helm's own bound
	maxChart = 100 << 20 // bytes of all files: Helm's own bound
)

// files are those of the chart, in the order of their names.
func (in Input) files() ([]*loader.BufferedFile, error) {
	if in.Chart == nil {
		files, err := loader.LoadArchiveFiles(bytes.NewReader(in.Archive))
		if err != nil {
			return nil, rejected("pack it with helm package", "unpack the chart: %w", err)
		}
		return files, nil
	}
	rules, err := ignored(in.Chart)
	if err != nil {
		return nil, err
	}
	w := &walk{fsys: in.Chart, rules: rules}
	if err := w.dir("", 0); err != nil {
		return nil, err
	}
	return w.files, nil
}

// ignored are the rules of .helmignore, and Helm's own.
func ignored(fsys fs.FS) (*ignore.Rules, error) {
	rules := ignore.Empty()
	data, err := fs.ReadFile(fsys, ignore.HelmIgnore)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, unread(ignore.HelmIgnore, err)
	default:
		if rules, err = ignore.Parse(bytes.NewReader(data)); err != nil {
			return nil, rejected("", "read %s: %w", ignore.HelmIgnore, err)
		}
	}
	rules.AddDefaults()
	return rules, nil
}

// walk reads a chart's directory. Links are followed, as Helm does.
type walk struct {
	fsys  fs.FS
	rules *ignore.Rules
	files []*loader.BufferedFile
	size  int64
}

func (w *walk) dir(name string, depth int) error {
	if depth > maxDepth {
		return rejected("see whether a link leads into a directory above itself", "the chart's directories are more than %d deep, at %.200s", maxDepth, name)
	}
	entries, err := fs.ReadDir(w.fsys, path.Join(".", name))
	if err != nil {
		return unread(name, err)
	}
	for _, entry := range entries {
		if err := w.entry(path.Join(name, entry.Name()), depth); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) entry(name string, depth int) error {
	info, err := fs.Stat(w.fsys, name)
	if err != nil {
		return unread(name, err)
	}
	switch {
	case w.rules.Ignore(name, info):
		return nil
	case info.IsDir():
		return w.dir(name, depth+1)
	case !info.Mode().IsRegular():
		return rejected("", "read the chart: %s is not a regular file", name)
	}
	return w.file(name, info.Size())
}

func (w *walk) file(name string, size int64) error {
	w.size += size
	switch {
	case size > maxFile:
		return rejected("leave it out with .helmignore", "read the chart: %s has %d bytes, more than the limit of %d", name, size, maxFile)
	case w.size > maxChart:
		return rejected("leave out with .helmignore what its templates do not need", "read the chart: its files have more than %d bytes", maxChart)
	case len(w.files) >= maxFiles:
		return rejected("leave out with .helmignore what its templates do not need", "read the chart: it has more than %d files", maxFiles)
	}
	data, err := fs.ReadFile(w.fsys, name)
	if err != nil {
		return unread(name, err)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	w.files = append(w.files, &loader.BufferedFile{Name: name, Data: data})
	return nil
}

// unread keeps the class of an error that has one: who hands the files in knows
// better whom to blame.
func unread(name string, err error) error {
	err = fmt.Errorf("read %s of the chart: %w", path.Join(".", name), err)
	if fault.Of(err) != fault.Unknown {
		return err
	}
	return fault.As(fault.Rejected, err)
}
