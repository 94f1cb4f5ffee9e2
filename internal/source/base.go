package source

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// sparePrefix begins the name of the snapshot that the next one is made of: the last
// one that nobody needed any more.
const sparePrefix = ".spare-"

// build has the next snapshot share files with this one.
func (r *Repository) build(commit string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.base = commit
}

// baseOf is what a snapshot is made of: one that nobody needs any more, which is moved
// to the fetch's own directory, else the one that was loaded last. Only one whose files
// were looked at since the start counts. GiveBack has to be called at the end.
func (r *Repository) baseOf(dir, temp, commit string) (b Base, giveBack func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.spare != "" {
		name, moved := r.spare, filepath.Join(temp, "spare")
		r.spare = ""
		if os.Rename(filepath.Join(dir, sparePrefix+name), moved) == nil {
			return Base{Commit: name, Dir: moved, Spare: true}, func() { r.regain(dir, moved, name) }
		}
	}
	if r.base == commit || !r.checked[r.base] {
		return Base{}, func() {}
	}
	held := r.hold(r.base) // Collect must not take it away meanwhile
	return Base{Commit: r.base, Dir: filepath.Join(dir, r.base)}, func() { runtime.KeepAlive(held) }
}

// regain takes a spare snapshot back that the fetch had no use for.
func (r *Repository) regain(dir, moved, commit string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.spare == "" && exists(filepath.Join(moved, FilesName)) && os.Rename(moved, filepath.Join(dir, sparePrefix+commit)) == nil {
		r.spare = commit
	}
}

// retain keeps a snapshot that nobody needs as the spare one, where its files were
// looked at, and returns the path of what goes: the one before, or it itself. Who calls
// holds mu.
func (r *Repository) retain(commit string) (doomed string, err error) {
	trusted := r.checked[commit]
	delete(r.checked, commit)
	if !trusted {
		return setAside(r.opts.Dir, commit)
	}
	if r.spare != "" {
		doomed = filepath.Join(r.opts.Dir, sparePrefix+r.spare)
	}
	if err := os.Rename(filepath.Join(r.opts.Dir, commit), filepath.Join(r.opts.Dir, sparePrefix+commit)); err != nil {
		return doomed, fmt.Errorf("keep snapshot %s as the spare one: %w", commit, err)
	}
	r.spare = commit
	return doomed, nil
}
