package fetch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"

	"syncd.io/syncd/internal/durable"
	"syncd.io/syncd/internal/fault"
)

// packHeader is how long the header of a pack is, leastObject how short the entry of
// one object can be, in bytes: its own header and an empty deflated stream.
const (
	packHeader  = 12
	leastObject = 9
)

// ingest takes a self-contained pack into the store: it is written aside, parsed to
// its end and put into place with its index, which comes first: a pack without one
// is never seen. A pack without objects leaves nothing.
func (s *store) ingest(pack io.Reader) error {
	temp, err := os.CreateTemp(filepath.Join(s.dir, packDir), tempPrefix+"pack_")
	if err != nil {
		return fmt.Errorf("make a file for the pack: %w", err)
	}
	sum, count, err := s.digest(temp, pack)
	err = errors.Join(err, temp.Close())
	if err == nil && count > 0 {
		err = s.place(temp.Name(), sum)
	}
	if err != nil || count == 0 {
		return errors.Join(err, discard(temp.Name()), discard(temp.Name()+".idx"))
	}
	return nil
}

func discard(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// digest copies the pack to temp, and writes its index beside.
func (s *store) digest(temp *os.File, pack io.Reader) (sum plumbing.Hash, count uint32, err error) {
	size, err := io.Copy(temp, pack)
	if err != nil {
		return sum, 0, err
	}
	if count, err = objectCount(temp, size); err != nil || count == 0 {
		return sum, 0, err
	}
	if err := temp.Sync(); err != nil {
		return sum, 0, err
	}
	index := new(idxfile.Writer)
	if sum, err = parse(temp, index); err != nil {
		return sum, 0, err
	}
	return sum, count, writeIndex(index, temp.Name()+".idx")
}

// objectCount reads a pack's header, and does not believe it: memory is set aside for
// as many objects as it says.
func objectCount(f *os.File, size int64) (uint32, error) {
	var header [packHeader]byte
	if _, err := f.ReadAt(header[:], 0); err != nil {
		return 0, fmt.Errorf("read the pack's header: %w", io.ErrUnexpectedEOF)
	}
	count := binary.BigEndian.Uint32(header[8:])
	if int64(count) > size/leastObject {
		return 0, fault.As(fault.Unreachable, fmt.Errorf("the pack claims %d objects, and has %d bytes", count, size))
	}
	return count, nil
}

// parse resolves every object of a pack, and tells the observer of each.
func parse(f *os.File, observer packfile.Observer) (plumbing.Hash, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return plumbing.ZeroHash, err
	}
	parser, err := packfile.NewParser(packfile.NewScanner(f), observer)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	return parser.Parse()
}

func writeIndex(index *idxfile.Writer, path string) (err error) {
	built, err := index.Index()
	if err != nil {
		return fmt.Errorf("index the pack: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the pack's index: %w", err)
	}
	_, err = idxfile.NewEncoder(f).Encode(built)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write the pack's index: %w", err)
	}
	return nil
}

// place renames a pack and its index to the pack's checksum, and notes that it came.
func (s *store) place(temp string, sum plumbing.Hash) error {
	base := filepath.Join(s.dir, packDir, "pack-"+sum.String())
	if _, err := os.Lstat(base + ".pack"); err == nil && !slices.Contains(s.added, base) {
		s.again = append(s.again, base)
	}
	for _, suffix := range [][2]string{{".idx", ".idx"}, {"", ".pack"}} {
		if err := os.Rename(temp+suffix[0], base+suffix[1]); err != nil {
			return fmt.Errorf("put the pack into place: %w", err)
		}
	}
	s.added = append(s.added, base)
	s.reopen()
	return durable.SyncDir(filepath.Dir(base))
}
