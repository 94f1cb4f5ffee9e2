package fetch

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"golang.org/x/sys/unix"
)

// additions are the objects of a thin pack: one that leaves out what its differences
// are to, as the store has that. What is read of them is whole.
type additions struct {
	storer.EncodedObjectStorer // the store
	pack                       *packer
}

// SetEncodedObject takes an object of the pack.
func (a *additions) SetEncodedObject(o plumbing.EncodedObject) (plumbing.Hash, error) {
	r, err := o.Reader()
	if err != nil {
		return plumbing.ZeroHash, err
	}
	name := o.Hash()
	return name, errors.Join(a.pack.add(name, o.Type(), o.Size(), r), r.Close())
}

// EncodedObject looks among the additions, then in the store.
func (a *additions) EncodedObject(kind plumbing.ObjectType, name plumbing.Hash) (plumbing.EncodedObject, error) {
	if o, err := a.pack.read(name); err != nil || o != nil {
		return o, err
	}
	return a.EncodedObjectStorer.EncodedObject(kind, name)
}

// ingestThin takes a pack into the store that may be thin: its objects are written
// anew, as a pack that needs no other.
func (s *store) ingestThin(pack io.Reader) (err error) {
	temp, err := os.CreateTemp(filepath.Join(s.dir, packDir), tempPrefix+"thin_")
	if err != nil {
		return fmt.Errorf("make a file for the pack: %w", err)
	}
	defer func() { err = errors.Join(err, temp.Close(), discard(temp.Name())) }()
	size, err := io.Copy(temp, pack)
	if err != nil {
		return err
	}
	if count, err := objectCount(temp, size); err != nil || count == 0 {
		return err
	}
	return blame(s.write(func(p *packer) error {
		if _, err := temp.Seek(0, io.SeekStart); err != nil {
			return err
		}
		parser, err := packfile.NewParserWithStorage(packfile.NewScanner(temp), &additions{s.objects, p})
		if err != nil {
			return err
		}
		_, err = parser.Parse()
		return err
	}))
}

// blame takes a pack that cannot be read for the store's fault, which has what it
// builds on. A full disk is nobody's.
func blame(err error) error {
	if err == nil || errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return err
	}
	return fmt.Errorf("%w: %w", errOdd, err)
}

// write adds a pack of what fill adds to it.
func (s *store) write(fill func(*packer) error) error {
	temp, err := os.CreateTemp(filepath.Join(s.dir, packDir), tempPrefix+"pack_")
	if err != nil {
		return fmt.Errorf("make a file for the pack: %w", err)
	}
	sum, err := s.fill(temp, fill)
	if err := errors.Join(err, temp.Close()); err != nil {
		return errors.Join(err, discard(temp.Name()), discard(temp.Name()+".idx"))
	}
	return s.place(temp.Name(), sum)
}

func (s *store) fill(temp *os.File, fill func(*packer) error) (plumbing.Hash, error) {
	p, err := newPacker(temp)
	if err == nil {
		err = fill(p)
	}
	if err != nil {
		return plumbing.ZeroHash, err
	}
	sum, index, err := p.finish()
	if err != nil {
		return sum, err
	}
	return sum, writeIndex(index, temp.Name()+".idx")
}
