package remote

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Watched are the directories in which something changes when a repository on this
// machine has news; nil for one that is elsewhere. Those that are not there yet are
// left out: ask again after a change.
func Watched(addr Address, w Want) []string {
	switch addr.Kind {
	case Local:
		return there(refDirs(addr.Path, w))
	case Bundle:
		// the parent too: a file is replaced there, and a directory that is made anew is
		// another one
		return there([]string{addr.Path, filepath.Dir(addr.Path)})
	default:
		return nil
	}
}

// refDirs are the directories that hold a repository's refs.
func refDirs(repository string, w Want) []string {
	dir, err := gitDir(repository)
	if err != nil {
		return []string{repository, filepath.Dir(repository)}
	}
	dirs := []string{dir}
	shared := dir
	if data, err := small(filepath.Join(dir, "commondir")); err == nil {
		shared = absolute(dir, string(data))
		dirs = append(dirs, shared)
	}
	names := append([]string{heads + "x", tags + "x"}, w.Refs...)
	for _, name := range names {
		for at := path.Dir(name); at != "."; at = path.Dir(at) {
			dirs = append(dirs, filepath.Join(shared, at))
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// there leaves out what is no directory.
func there(paths []string) []string {
	return slices.DeleteFunc(paths, func(path string) bool {
		info, err := os.Stat(path)
		return errors.Is(err, fs.ErrNotExist) || err != nil || !info.IsDir()
	})
}

// News tells whether a change of the file may be one of what a repository holds:
// locks, objects and logs come before the ref that they are for.
func News(addr Address, file string) bool {
	name := filepath.Base(file)
	if addr.Kind == Bundle {
		return !strings.HasPrefix(name, ".") && (filepath.Dir(file) == addr.Path || file == addr.Path)
	}
	switch name {
	case "index", "objects", "logs", "COMMIT_EDITMSG", "ORIG_HEAD", "FETCH_HEAD", "gc.pid", "gc.log":
		return false
	}
	return !strings.HasSuffix(name, ".lock")
}
