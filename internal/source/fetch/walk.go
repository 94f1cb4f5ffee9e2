package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/source/tree"
)

// maxTree is how long one tree object may be, in bytes: some 100,000 entries.
const maxTree = 4 << 20

// commit is what a walk found.
type commit struct {
	revision source.Revision
	entries  []entry
}

// entry is one file of the commit; path is its name on disk, File.Path the one
// that is shown.
type entry struct {
	source.File
	hash plumbing.Hash
	// content is that of a link, and of a file that is short enough to be a Git
	// LFS pointer: it was looked at already.
	content []byte
	// kept is set for a file that the base has as well.
	kept bool
}

// walker goes through a commit's trees, and judges all before any is written.
type walker struct {
	ctx     context.Context
	objects objectReader
	budget  tree.Budget
	links   tree.Links
	base    *base
	entries []entry
}

// walk finds what a commit holds; budget says how much that may be. What is the same in
// the base, where there is one, is taken from there.
func walk(ctx context.Context, objects objectReader, hash plumbing.Hash, budget tree.Budget, base *base) (commit, error) {
	raw, err := objects.read(plumbing.CommitObject, hash, maxCommit)
	if err != nil {
		return commit{}, err
	}
	revision, root, err := parseCommit(hash, raw)
	if err != nil {
		return commit{}, fault.As(fault.Rejected, fmt.Errorf("read commit %s: %w", hash, err))
	}
	w := &walker{ctx: ctx, objects: objects, budget: budget, links: tree.Links{}, base: base}
	if err := w.tree(root, base.root(objects), "", ""); err != nil {
		return commit{}, err
	}
	judge := w.links.Judge()
	for i := range w.entries {
		e := &w.entries[i]
		if e.Mode != source.ModeLink || e.Refused != "" {
			continue
		}
		if e.Refused, err = judge.Refusal(e.Path); err != nil {
			return commit{}, err
		}
	}
	slices.SortFunc(w.entries, func(a, b entry) int { return strings.Compare(a.Path, b.Path) })
	return commit{revision, w.entries}, nil
}

// tree takes all entries of one directory; before is the base's tree there, refused
// why nothing below it can be written.
func (w *walker) tree(hash, before plumbing.Hash, dir, refused string) error {
	if err := w.ctx.Err(); err != nil {
		return context.Cause(w.ctx)
	}
	if hash == before && !hash.IsZero() {
		return w.same(dir)
	}
	raw, err := w.objects.read(plumbing.TreeObject, hash, maxTree)
	if err != nil {
		return err
	}
	seen, inner := map[string]bool{}, w.base.trees(w.objects, before)
	for len(raw) > 0 {
		item, rest, err := nextItem(raw)
		if err != nil {
			return fault.As(fault.Rejected, fmt.Errorf("read directory %q: %w", tree.Escaped(dir), err))
		}
		raw = rest
		if err := w.item(item, inner[item.name], dir, refused, seen); err != nil {
			return err
		}
	}
	return nil
}

// item is one line of a tree object.
type item struct {
	mode uint32
	name string
	hash plumbing.Hash
}

// nextItem reads "MODE NAME\0HASH".
func nextItem(raw []byte) (item, []byte, error) {
	mode, rest, ok := bytes.Cut(raw, []byte{' '})
	name, rest, ok2 := bytes.Cut(rest, []byte{0})
	if !ok || !ok2 || len(rest) < len(plumbing.ZeroHash) {
		return item{}, nil, errors.New("the tree object is damaged")
	}
	bits, err := strconv.ParseUint(string(mode), 8, 32)
	if err != nil {
		return item{}, nil, errors.New("an entry of the tree object has no mode")
	}
	i := item{mode: uint32(bits), name: string(name)}
	copy(i.hash[:], rest)
	return i, rest[len(i.hash):], nil
}

func (w *walker) item(i item, before plumbing.Hash, dir, refused string, seen map[string]bool) error {
	if err := tree.Name(i.name); err != nil {
		return fault.Hint(fault.As(fault.Rejected, fmt.Errorf("in directory %q: %w", tree.Escaped(dir), err)), "such a name can harm whoever checks it out; find out who committed it")
	}
	if seen[i.name] {
		return fault.As(fault.Rejected, fmt.Errorf("directory %q has two entries %q", tree.Escaped(dir), i.name))
	}
	seen[i.name] = true
	p := path.Join(dir, tree.Escaped(i.name))
	kind := i.mode & 0o170000
	if err := w.budget.Entry(p, kind == 0o040000); err != nil {
		return err
	}
	if refused == "" && !tree.Plain(i.name) {
		refused = tree.RefusedName
	}
	switch kind {
	case 0o040000:
		return w.tree(i.hash, before, p, refused)
	case 0o100000:
		return w.file(i, p, refused)
	case 0o120000:
		return w.link(i, p, refused)
	case 0o160000:
		w.add(i, p, source.ModeModule, 0, tree.RefusedModule, nil)
		return nil
	}
	return fault.As(fault.Rejected, fmt.Errorf("%q has the unknown mode %o", p, i.mode))
}

func (w *walker) add(i item, p string, mode uint32, size int64, refused string, content []byte) {
	w.entries = append(w.entries, entry{
		File: source.File{Path: p, Hash: i.hash.String(), Mode: mode, Size: size, Refused: refused},
		hash: i.hash, content: content,
	})
}

func (w *walker) file(i item, p, refused string) error {
	mode := uint32(source.ModeFile)
	if i.mode&0o100 != 0 {
		mode = source.ModeExecutable
	}
	if f, ok := w.base.find(p, mode, i.hash); ok {
		return w.again(f)
	}
	size, err := w.objects.size(i.hash)
	if err != nil {
		return err
	}
	var content []byte
	if refused == "" {
		if content, refused, err = w.look(i.hash, size); err != nil {
			return err
		}
	}
	w.add(i, p, mode, size, refused, content)
	return nil
}

// look counts a file's bytes, and reads it where it may be a Git LFS pointer. That it
// is too long is believed only of one whose bytes are as many.
func (w *walker) look(hash plumbing.Hash, size int64) (content []byte, refused string, err error) {
	if refused = w.budget.TooLong(size); refused != "" {
		if w.objects.own {
			err = w.objects.copy(io.Discard, hash, size)
		}
		return nil, refused, err
	}
	if err := w.budget.Bytes(size); err != nil || size >= tree.PointerSize {
		return nil, "", err
	}
	content, err = w.objects.read(plumbing.BlobObject, hash, tree.PointerSize)
	if err == nil && tree.Pointer(content) {
		refused = tree.RefusedPointer
	}
	return content, refused, err
}

func (w *walker) link(i item, p, refused string) error {
	size, err := w.objects.size(i.hash)
	if err != nil {
		return err
	}
	var target []byte
	if size <= tree.MaxPath {
		if target, err = w.objects.read(plumbing.BlobObject, i.hash, tree.MaxPath); err != nil {
			return err
		}
	}
	w.links[p] = string(target) // too long or empty: Refusal says so
	w.add(i, p, source.ModeLink, size, refused, target)
	return nil
}

func listing(entries []entry) []source.File {
	files := make([]source.File, len(entries))
	for i, e := range entries {
		files[i] = e.File
	}
	return files
}
