package fetch

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/source/tree"
)

// base is a snapshot that another one may share files with; nil is none.
type base struct {
	commit plumbing.Hash
	dir    string
	files  []source.File
	// spare is set where nobody needs it any more: it is taken over.
	spare bool
}

// openBase reads a snapshot's manifest. What cannot be read is none: all is written
// anew then.
func openBase(from source.Base) *base {
	if from.Dir == "" {
		return nil
	}
	s, err := source.ReadSnapshot(from.Dir)
	if err != nil || s.Revision.Commit != from.Commit {
		return nil
	}
	if _, err := os.Lstat(filepath.Join(from.Dir, source.FilesName)); err != nil {
		return nil // taken over by an attempt that found the store odd
	}
	return &base{plumbing.NewHash(from.Commit), filepath.Join(from.Dir, source.FilesName), s.Files, from.Spare}
}

// root is the base's own tree; zero where it is not known any more.
func (b *base) root(objects objectReader) plumbing.Hash {
	if b == nil {
		return plumbing.ZeroHash
	}
	raw, err := objects.read(plumbing.CommitObject, b.commit, maxCommit)
	if err != nil {
		return plumbing.ZeroHash
	}
	_, root, err := parseCommit(b.commit, raw)
	if err != nil {
		return plumbing.ZeroHash
	}
	return root
}

// trees are the directories in one of the base's trees; none where it is not known.
func (b *base) trees(objects objectReader, hash plumbing.Hash) map[string]plumbing.Hash {
	if b == nil || hash.IsZero() {
		return nil
	}
	raw, err := objects.read(plumbing.TreeObject, hash, maxTree)
	if err != nil {
		return nil
	}
	out := map[string]plumbing.Hash{}
	for len(raw) > 0 {
		i, rest, err := nextItem(raw)
		if err != nil {
			return nil
		}
		if i.mode&0o170000 == 0o040000 {
			out[i.name] = i.hash
		}
		raw = rest
	}
	return out
}

// find looks for a file that is the same.
func (b *base) find(path string, mode uint32, hash plumbing.Hash) (source.File, bool) {
	if b == nil {
		return source.File{}, false
	}
	i, there := slices.BinarySearchFunc(b.files, path, func(f source.File, path string) int { return strings.Compare(f.Path, path) })
	if !there || b.files[i].Mode != mode || b.files[i].Hash != hash.String() {
		return source.File{}, false
	}
	return b.files[i], true
}

// below are all files in a directory and in those in it; "" is the root.
func (b *base) below(dir string) []source.File {
	if dir == "" {
		return b.files
	}
	at := func(prefix string) int {
		i, _ := slices.BinarySearchFunc(b.files, prefix, func(f source.File, prefix string) int { return strings.Compare(f.Path, prefix) })
		return i
	}
	return b.files[at(dir+"/"):at(dir+"0")] // the character after the slash
}

// same takes over a directory that is the same in the base, and counts it as if it had
// been walked.
func (w *walker) same(dir string) error {
	counted := map[string]bool{dir: true, ".": true}
	for _, f := range w.base.below(dir) {
		for d := filepath.Dir(f.Path); !counted[d]; d = filepath.Dir(d) {
			counted[d] = true
			if err := w.budget.Entry(d, true); err != nil {
				return err
			}
		}
		if err := w.budget.Entry(f.Path, false); err != nil {
			return err
		}
		if err := w.again(f); err != nil {
			return err
		}
	}
	return nil
}

// again takes over one file of the base, and judges it by the limits of today.
func (w *walker) again(f source.File) error {
	i := item{mode: f.Mode, hash: plumbing.NewHash(f.Hash)}
	switch {
	case f.Mode == source.ModeLink:
		refused := ""
		if f.Refused == tree.RefusedName {
			refused = f.Refused
		}
		return w.link(i, f.Path, refused)
	case f.Refused == tree.RefusedName, f.Mode == source.ModeModule:
		w.add(i, f.Path, f.Mode, f.Size, f.Refused, nil)
		return nil
	case f.Refused != "" || w.budget.TooLong(f.Size) != "":
		content, refused, err := w.look(i.hash, f.Size)
		w.add(i, f.Path, f.Mode, f.Size, refused, content)
		return err
	}
	w.add(i, f.Path, f.Mode, f.Size, "", nil)
	w.entries[len(w.entries)-1].kept = true
	return w.budget.Bytes(f.Size)
}
