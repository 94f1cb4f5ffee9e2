package remote

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-billy/v5"
	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/go-git/go-git/v5/storage/filesystem/dotgit"

	"syncd.io/syncd/internal/fault"
)

// objectCache and largeObject bound what is kept in memory of a repository.
const (
	objectCache = 16 * cache.MiByte
	largeObject = 8 << 20
)

// OpenLocal opens the repository in a directory, bare or not, for reading in
// place; brief is as in Open. The error is Unreachable where nothing is there
// (yet), Rejected where it is no repository that can be read.
func OpenLocal(path string, brief bool) (*filesystem.Storage, error) {
	dir, err := gitDir(path)
	if err != nil {
		return nil, err
	}
	store := Open(dir, brief)
	conf, err := store.Config()
	if err != nil {
		err := fault.As(fault.Rejected, fmt.Errorf("read the configuration of repository %s: %w", path, err))
		return nil, fault.Hint(err, "mend its file config; git config --list, typed in the repository, shows whether Git can read it")
	}
	for _, option := range conf.Raw.Section("extensions").Options {
		name := strings.ToLower(option.Key)
		if name == "objectformat" && option.Value != "sha1" {
			return nil, fault.As(fault.Rejected, fmt.Errorf("repository %s uses %.20s object names, which are not supported", path, option.Value))
		}
		if name != "objectformat" && !readable(name) {
			return nil, fault.As(fault.Rejected, fmt.Errorf("repository %s needs the extension %.60q, which is not supported", path, option.Key))
		}
	}
	return store, nil
}

// readable tells whether a repository with this extension can be read here all
// the same.
func readable(extension string) bool {
	return slices.Contains([]string{"noop", "preciousobjects", "worktreeconfig", "relativeworktrees"}, extension)
}

// Open returns the object store in a Git directory. A brief one is for a process
// that reads one commit and ends: it lists the objects once and keeps files open.
func Open(dir string, brief bool) *filesystem.Storage {
	return filesystem.NewStorageWithOptions(common(dir), cache.NewObjectLRU(objectCache), filesystem.Options{
		ExclusiveAccess:      brief,
		KeepDescriptors:      brief,
		LargeObjectThreshold: largeObject,
		AlternatesFS:         osfs.New("/"), // objects alone
	})
}

// common joins a linked worktree's directory with the one it shares.
func common(dir string) billy.Filesystem {
	own := below(dir)
	shared, err := small(filepath.Join(dir, "commondir"))
	if err != nil {
		return own
	}
	return dotgit.NewRepositoryFilesystem(own, below(absolute(dir, string(shared))))
}

// gitDir finds the directory that holds HEAD: path itself, path/.git, or what
// the file path/.git names.
func gitDir(path string) (string, error) {
	if _, err := os.Stat(path); err != nil {
		return "", fault.Hint(fault.As(fault.Unreachable, fmt.Errorf("open repository: %w", err)), "check repo.url")
	}
	inner := filepath.Join(path, ".git")
	info, err := os.Stat(inner)
	switch {
	case err == nil && info.IsDir():
		return inner, nil
	case err == nil:
		return linked(path, inner)
	case !errors.Is(err, fs.ErrNotExist):
		return "", fault.As(fault.Unreachable, fmt.Errorf("open repository: %w", err))
	}
	if _, err := os.Stat(filepath.Join(path, "HEAD")); err != nil {
		return "", fault.Hint(fault.As(fault.Rejected, fmt.Errorf("%s is not a Git repository", path)), "check repo.url; git init makes a repository of a directory")
	}
	return path, nil
}

func linked(path, file string) (string, error) {
	data, err := small(file)
	if err != nil {
		return "", fault.As(fault.Unreachable, fmt.Errorf("open repository: %w", err))
	}
	target, ok := strings.CutPrefix(string(data), "gitdir: ")
	if !ok {
		return "", fault.As(fault.Rejected, fmt.Errorf("%s is not a Git repository: its .git names no directory", path))
	}
	return absolute(path, target), nil
}

func absolute(base, path string) string {
	path = strings.TrimSpace(path)
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(base, path)
}
