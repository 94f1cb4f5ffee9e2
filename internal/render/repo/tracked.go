package repo

import (
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Input makes a path an input; one that ends in / stands for all that lies below.
func (r *Repo) Input(name string) { r.inputs[name] = true }

// IsInput tells whether a path was read, or looked for.
func (r *Repo) IsInput(name string) bool { return r.inputs[name] }

// Inputs returns the inputs in order.
func (r *Repo) Inputs() []string { return slices.Sorted(maps.Keys(r.inputs)) }

// Blob returns Git's "mode hash" of a path, false where Git has no such file.
func (r *Repo) Blob(name string) (string, bool) {
	blob, ok := r.tracked[name]
	return blob, ok
}

// Below returns the tracked paths that are the file or lie in the directory, in
// order.
func (r *Repo) Below(name string) []string {
	if name == "." {
		return r.paths
	}
	if _, ok := r.tracked[name]; ok {
		return []string{name}
	}
	from, _ := slices.BinarySearch(r.paths, name+"/")
	to, _ := slices.BinarySearch(r.paths, name+"0") // '0' comes after '/'
	return r.paths[from:to]
}

// Refused returns a path at or below name that Git has but that was not written,
// and the reason.
func (r *Repo) Refused(name string) (refused, why string) {
	for _, p := range slices.Sorted(maps.Keys(r.refused)) {
		if p == name || name == "." || strings.HasPrefix(p, name+"/") {
			return p, r.refused[p]
		}
	}
	return "", ""
}

// RefusedIn returns the names of the files of a directory that Git has but that
// were not written, in order.
func (r *Repo) RefusedIn(dir string) []string {
	var out []string
	for _, p := range slices.Sorted(maps.Keys(r.refused)) {
		if path.Dir(p) == dir {
			out = append(out, path.Base(p))
		}
	}
	return out
}

// ReadDir returns what is in a directory, in order. It is no input by itself.
func (r *Repo) ReadDir(dir string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(r.root.FS(), filepath.ToSlash(dir))
	return entries, Plain(err)
}

// IsDir tells whether a path without symlinks in it is a directory.
func (r *Repo) IsDir(name string) bool {
	info, err := r.root.Lstat(filepath.FromSlash(name))
	return err == nil && info.IsDir()
}
