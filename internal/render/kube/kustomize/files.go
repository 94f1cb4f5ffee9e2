package kustomize

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/filesys"

	"syncd.io/syncd/internal/render/repo"
)

var errReadOnly = errors.New("the repository is not written to")

// files is the repository as kustomize sees it: "/" is its root, nothing lies
// outside it, symlinks are followed within it, and every read is an input.
type files struct {
	repo *repo.Repo
	// instead are contents that stand for what a file says.
	instead map[string][]byte
}

// name is the repository path of one of kustomize's.
func name(p string) string {
	p = strings.TrimPrefix(path.Clean("/"+filepath.ToSlash(p)), "/")
	if p == "" {
		return "."
	}
	return p
}

// ReadFile returns a file's content.
func (f files) ReadFile(p string) ([]byte, error) {
	if data, ok := f.instead[name(p)]; ok {
		return data, nil
	}
	return f.repo.Read(name(p), maxFile)
}

// IsDir tells whether a path is a directory.
func (f files) IsDir(p string) bool {
	canonical, err := f.repo.Follow(name(p))
	return err == nil && f.repo.IsDir(canonical)
}

// Exists tells whether a path is there.
func (f files) Exists(p string) bool { return f.repo.Exists(name(p)) }

// CleanedAbs takes a path apart into its directory and its file, without symlinks.
func (f files) CleanedAbs(p string) (filesys.ConfirmedDir, string, error) {
	canonical, err := f.repo.Follow(name(p))
	switch {
	case err != nil:
		return "", "", err
	case f.repo.IsDir(canonical):
		return confirmed(canonical), "", nil
	case !f.repo.Exists(canonical):
		return "", "", fs.ErrNotExist
	}
	return confirmed(path.Dir(canonical)), path.Base(canonical), nil
}

func confirmed(dir string) filesys.ConfirmedDir {
	return filesys.ConfirmedDir(path.Join("/", dir))
}

// ReadDir returns what is in a directory.
func (f files) ReadDir(p string) ([]string, error) {
	f.repo.Input(name(p) + "/")
	entries, err := f.repo.ReadDir(name(p))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out, nil
}

// Open is not used to build; files are read whole.
func (f files) Open(string) (filesys.File, error) { return nil, errReadOnly }

// Glob is not used to build: kustomizations name their files.
func (f files) Glob(string) ([]string, error) { return nil, errReadOnly }

// Walk is not used to build.
func (f files) Walk(string, filepath.WalkFunc) error { return errReadOnly }

// Create writes nothing.
func (f files) Create(string) (filesys.File, error) { return nil, errReadOnly }

// Mkdir writes nothing.
func (f files) Mkdir(string) error { return errReadOnly }

// MkdirAll writes nothing.
func (f files) MkdirAll(string) error { return errReadOnly }

// RemoveAll removes nothing.
func (f files) RemoveAll(string) error { return errReadOnly }

// WriteFile writes nothing.
func (f files) WriteFile(string, []byte) error { return errReadOnly }
