package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
)

// maxPacks is how many packs the store may have: to look for an object is to look into
// each.
const maxPacks = 20

// packFile is one pack of the store; base is its path without suffix.
type packFile struct {
	base string
	size int64
}

// fold joins the packs where there are too many: the small ones as long as one has
// more than all others together, else all, of which only what is needed stays. That is
// also done at once where much came that is not. The new pack is there before the
// others go.
func (s *store) fold(ctx context.Context) error {
	packs, err := s.packs()
	if err != nil || len(packs) <= maxPacks && !s.bulky {
		return err
	}
	var small []packFile
	if !s.bulky {
		small = withoutLargest(packs)
	}
	var names []plumbing.Hash
	if small != nil {
		packs = small
		names, err = listed(packs)
	} else {
		names, err = s.needed(ctx)
	}
	if err == nil {
		err = s.join(ctx, names, packs)
	}
	if err != nil {
		return fmt.Errorf("join packs: %w", err)
	}
	return nil
}

func (s *store) packs() ([]packFile, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, packDir))
	if err != nil {
		return nil, fmt.Errorf("list packs: %w", err)
	}
	var out []packFile
	for _, e := range entries {
		base, ok := strings.CutSuffix(e.Name(), ".pack")
		if !ok {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil, fmt.Errorf("list packs: %w", err)
		}
		out = append(out, packFile{filepath.Join(s.dir, packDir, base), info.Size()})
	}
	return out, nil
}

// withoutLargest are all packs but one that is larger than the others together; nil
// where there is no such.
func withoutLargest(packs []packFile) []packFile {
	at, sum := 0, int64(0)
	for i, p := range packs {
		sum += p.size
		if p.size > packs[at].size {
			at = i
		}
	}
	if packs[at].size <= sum-packs[at].size {
		return nil
	}
	return append(append([]packFile{}, packs[:at]...), packs[at+1:]...)
}

// listed are the objects that the packs' indexes name.
func listed(packs []packFile) ([]plumbing.Hash, error) {
	var out []plumbing.Hash
	for _, p := range packs {
		index, err := readIndex(p.base + ".idx")
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errOdd, err)
		}
		entries, err := index.EntriesByOffset()
		for err == nil {
			var e *idxfile.Entry
			if e, err = entries.Next(); err == nil {
				out = append(out, e.Hash)
			}
		}
		if !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%w: %w", errOdd, err)
		}
	}
	return out, nil
}

func readIndex(path string) (*idxfile.MemoryIndex, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	index := idxfile.NewMemoryIndex()
	return index, errors.Join(idxfile.NewDecoder(f).Decode(index), f.Close())
}

// needed are all commits, and all files of those that are remembered whole.
func (s *store) needed(ctx context.Context) ([]plumbing.Hash, error) {
	commits, err := s.objects.IterEncodedObjects(plumbing.CommitObject)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errOdd, err)
	}
	var out []plumbing.Hash
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		c, err := commits.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errOdd, err)
		}
		out = append(out, c.Hash())
	}
	l := &living{objectReader: objectReader{store: s.objects, own: true}, seen: map[plumbing.Hash]bool{}}
	for _, tip := range s.tips() {
		raw, err := l.read(plumbing.CommitObject, tip, maxCommit)
		if err != nil {
			return nil, err
		}
		_, root, err := parseCommit(tip, raw)
		if err == nil {
			err = l.tree(ctx, root)
		}
		if err != nil {
			return nil, err
		}
	}
	return append(out, l.order...), nil
}

// living collects what a commit's tree leads to.
type living struct {
	objectReader
	seen  map[plumbing.Hash]bool
	order []plumbing.Hash
}

func (l *living) tree(ctx context.Context, hash plumbing.Hash) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if l.seen[hash] {
		return nil
	}
	l.add(hash)
	raw, err := l.read(plumbing.TreeObject, hash, maxTree)
	if err != nil {
		return err
	}
	for len(raw) > 0 {
		i, rest, err := nextItem(raw)
		if err != nil {
			return err
		}
		raw = rest
		switch i.mode & 0o170000 {
		case 0o040000:
			err = l.tree(ctx, i.hash)
		case 0o160000:
		default:
			l.add(i.hash)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *living) add(hash plumbing.Hash) {
	if !l.seen[hash] {
		l.seen[hash] = true
		l.order = append(l.order, hash)
	}
}

// join writes the objects as one pack, and removes the packs that they were in.
func (s *store) join(ctx context.Context, names []plumbing.Hash, packs []packFile) error {
	s.added = nil
	err := s.write(func(p *packer) error {
		for _, name := range names {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err := s.copyInto(p, name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, old := range packs {
		if old.base == s.added[0] {
			continue // the same objects as before
		}
		err = errors.Join(err, discard(old.base+".pack"), discard(old.base+".idx"))
	}
	s.added = nil
	s.reopen()
	return err
}

func (s *store) copyInto(p *packer, name plumbing.Hash) error {
	o, err := s.objects.EncodedObject(plumbing.AnyObject, name)
	if err != nil {
		return fmt.Errorf("%w: %w", errOdd, err)
	}
	r, err := o.Reader()
	if err != nil {
		return fmt.Errorf("%w: %w", errOdd, err)
	}
	return errors.Join(p.add(name, o.Type(), o.Size(), r), r.Close())
}
