package fetch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

// maxHistory is how long a pack of history may be that is kept with all that it has, in
// bytes: of a longer one only the commits are.
const maxHistory = 4 << 20

// errBarren is in the chain of an error about a pack without a commit.
var errBarren = errors.New("the pack has no commit")

// ingestHistory takes a pack of history from a server that cannot leave out the files.
// What is new since a commit is needed with its files soon, as long as it is little; all
// else is thrown away as it comes.
func (s *store) ingestHistory(pack io.Reader, since bool) (err error) {
	if !since {
		return s.sift(pack)
	}
	temp, err := os.CreateTemp(filepath.Join(s.dir, packDir), tempPrefix+"history_")
	if err != nil {
		return fmt.Errorf("make a file for the pack: %w", err)
	}
	defer func() { err = errors.Join(err, temp.Close(), discard(temp.Name())) }()
	size, err := io.Copy(temp, pack)
	if err != nil {
		return err
	}
	if _, err = temp.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if size > maxHistory {
		return s.sift(temp)
	}
	return s.ingest(temp)
}

// sift adds a pack of the commits in another one.
func (s *store) sift(pack io.Reader) error {
	err := s.write(func(p *packer) error {
		if err := (&sieve{packfile.NewScanner(pack), p, map[int64]plumbing.Hash{}}).pass(); err != nil {
			return err
		}
		if len(p.entries) == 0 {
			return errBarren
		}
		return nil
	})
	if errors.Is(err, errBarren) {
		return nil
	}
	return err
}

// sieve lets commits through to a pack of their own. What it has to remember is
// as much as their names, however long the other pack is.
type sieve struct {
	from *packfile.Scanner
	to   *packer
	// at is where in the pack commits are: others are told as differences from them.
	at map[int64]plumbing.Hash
}

// pass reads the pack to its end.
func (s *sieve) pass() error {
	_, count, err := s.from.Header()
	if errors.Is(err, packfile.ErrEmptyPackfile) {
		return nil
	}
	for range count {
		if err != nil {
			break
		}
		var header *packfile.ObjectHeader
		if header, err = s.from.NextObjectHeader(); err == nil {
			err = s.object(header)
		}
	}
	if err != nil {
		return fmt.Errorf("read the pack: %w", err)
	}
	_, err = s.from.Checksum() // what is left of the last object, too
	return err
}

// object looks at one. What is not read of it the scanner leaves behind.
func (s *sieve) object(header *packfile.ObjectHeader) error {
	if header.Length > maxCommit {
		return nil
	}
	switch header.Type {
	case plumbing.CommitObject:
		raw, err := s.content()
		if err != nil {
			return err
		}
		return s.commit(header.Offset, raw)
	case plumbing.OFSDeltaObject:
		if base, ok := s.at[header.OffsetReference]; ok {
			return s.difference(header.Offset, base)
		}
	case plumbing.REFDeltaObject:
		if _, ok := s.to.entries[header.Reference]; ok {
			return s.difference(header.Offset, header.Reference)
		}
	}
	return nil
}

func (s *sieve) content() ([]byte, error) {
	var raw bytes.Buffer
	_, _, err := s.from.NextObject(&raw)
	return raw.Bytes(), err
}

func (s *sieve) commit(offset int64, raw []byte) error {
	name := plumbing.ComputeHash(plumbing.CommitObject, raw)
	s.at[offset] = name
	return s.to.add(name, plumbing.CommitObject, int64(len(raw)), bytes.NewReader(raw))
}

// difference takes a commit that is told as one.
func (s *sieve) difference(offset int64, base plumbing.Hash) error {
	delta, err := s.content()
	if err != nil {
		return err
	}
	if length(delta) > maxCommit {
		return nil
	}
	o, err := s.to.read(base)
	if err != nil {
		return err
	}
	r, err := o.Reader()
	if err != nil {
		return err
	}
	before, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		return err
	}
	raw, err := packfile.PatchDelta(before, delta)
	if err != nil {
		return err
	}
	return s.commit(offset, raw)
}

// length is how long what a difference makes will be, in bytes: that stands behind how
// long its base is.
func length(delta []byte) uint64 {
	_, n := binary.Uvarint(delta)
	if n <= 0 {
		return maxCommit + 1
	}
	size, n := binary.Uvarint(delta[n:])
	if n <= 0 {
		return maxCommit + 1
	}
	return size
}
