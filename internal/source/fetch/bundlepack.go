package fetch

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"crypto/sha1" //nolint:gosec // Git's pack trailers, not a protection of our own
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"

	"syncd.io/syncd/internal/source/bundle"
)

// unpack writes the bundle's pack and its index into dir, made complete where it is
// thin, and returns the name that both have but for their ends. What is wrong with
// the bundle is unfit.
func (h *hold) unpack(a *arrival, dir string) (name string, err error) {
	f, err := os.OpenFile(filepath.Join(dir, "new"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("write the bundle's pack: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := copyPack(f, a); err != nil {
		return "", err
	}
	bases, err := outsiders(f)
	if err != nil {
		return "", err
	}
	if err := h.fatten(f, bases); err != nil {
		return "", err
	}
	return file(f, dir)
}

// copyPack copies the pack behind the header, and checks that it ends with its own
// digest.
func copyPack(to *os.File, a *arrival) error {
	length := a.size - a.header.Size
	if length < packHeader+sha1.Size {
		return &unfit{bundle.ErrShort}
	}
	digest := sha1.New() //nolint:gosec // see the import
	body := io.NewSectionReader(a.file, a.header.Size, length-sha1.Size)
	if _, err := io.Copy(to, io.TeeReader(body, digest)); unread(err) {
		return &unfit{err}
	} else if err != nil {
		return fmt.Errorf("copy the bundle's pack: %w", err)
	}
	trailer := make([]byte, sha1.Size)
	if n, err := a.file.ReadAt(trailer, a.size-sha1.Size); n < len(trailer) {
		return fmt.Errorf("copy the bundle's pack: %w", errors.Join(err, io.ErrUnexpectedEOF))
	}
	if _, err := to.Write(trailer); err != nil {
		return fmt.Errorf("copy the bundle's pack: %w", err)
	}
	if !bytes.Equal(trailer, digest.Sum(nil)) {
		return &unfit{notWhole(to)}
	}
	return nil
}

// unread tells whether a copy failed because of what is read: a medium that is damaged
// in one file says nothing about the others.
func unread(err error) bool {
	var file *fs.PathError
	return errors.As(err, &file) && file.Op == "read"
}

// notWhole tells a pack that ends too early from one that has other bytes than it
// was made of.
func notWhole(pack *os.File) error {
	_, err := scan(pack, nil)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("its pack is not whole: %w", bundle.ErrShort)
	}
	return errors.New("its pack does not have the bytes that it was made of")
}

// scan inflates each object of a pack once, and calls look for it; nil looks at
// nothing. It returns the digest that stands behind the last.
func scan(pack *os.File, look func(*packfile.ObjectHeader, plumbing.Hash)) (plumbing.Hash, error) {
	if _, err := pack.Seek(0, io.SeekStart); err != nil {
		return plumbing.ZeroHash, err
	}
	s := packfile.NewScanner(pack)
	_, count, err := s.Header()
	for i := uint32(0); i < count && err == nil; i++ {
		var header *packfile.ObjectHeader
		if header, err = s.NextObjectHeader(); err != nil {
			break
		}
		hasher := plumbing.NewHasher(header.Type, header.Length)
		_, _, err = s.NextObject(hasher)
		if err == nil && look != nil {
			look(header, hasher.Sum())
		}
	}
	if err != nil {
		return plumbing.ZeroHash, err
	}
	return s.Checksum()
}

// outsiders are the objects that a thin pack takes for granted: others are told as
// differences from them.
func outsiders(pack *os.File) ([]plumbing.Hash, error) {
	wanted, inside := map[plumbing.Hash]bool{}, map[plumbing.Hash]bool{}
	end, err := scan(pack, func(h *packfile.ObjectHeader, hash plumbing.Hash) {
		switch h.Type {
		case plumbing.REFDeltaObject:
			wanted[h.Reference] = true
		case plumbing.OFSDeltaObject:
		default:
			inside[hash] = true
		}
	})
	if err != nil {
		return nil, &unfit{fmt.Errorf("read its pack: %w", err)}
	}
	trailer := make([]byte, sha1.Size)
	info, err := pack.Stat()
	if err != nil {
		return nil, err
	}
	if _, err := pack.ReadAt(trailer, info.Size()-sha1.Size); err != nil {
		return nil, err
	}
	if !bytes.Equal(trailer, end[:]) {
		return nil, &unfit{errors.New("its pack has something behind its last object")}
	}
	var out []plumbing.Hash
	for hash := range wanted {
		if !inside[hash] {
			out = append(out, hash)
		}
	}
	slices.SortFunc(out, func(a, b plumbing.Hash) int { return bytes.Compare(a[:], b[:]) })
	return out, nil
}

// fatten appends to a thin pack the objects that it takes for granted, as far as
// they are here: what is missing then is found when the pack is indexed.
func (h *hold) fatten(pack *os.File, bases []plumbing.Hash) error {
	var here []plumbing.Hash
	for _, hash := range bases {
		has, err := h.objects.has(hash)
		if err != nil {
			return &damagedHold{err}
		}
		if has {
			here = append(here, hash)
		}
	}
	if len(here) == 0 {
		return nil
	}
	if _, err := pack.Seek(-sha1.Size, io.SeekEnd); err != nil {
		return err
	}
	for _, hash := range here {
		if err := h.append(pack, hash); err != nil {
			return err
		}
	}
	return seal(pack, len(here))
}

func (h *hold) append(pack *os.File, hash plumbing.Hash) error {
	obj, err := h.store.EncodedObject(plumbing.AnyObject, hash)
	if err != nil {
		return &damagedHold{err}
	}
	content, err := obj.Reader()
	if err != nil {
		return &damagedHold{err}
	}
	defer content.Close()
	buffered := bufio.NewWriter(pack)
	if _, err := buffered.Write(entryHeader(obj.Type(), obj.Size())); err != nil {
		return err
	}
	deflate := zlib.NewWriter(buffered)
	if _, err := io.Copy(deflate, content); err != nil {
		return fmt.Errorf("complete the bundle's pack: %w", err)
	}
	return errors.Join(deflate.Close(), buffered.Flush())
}

// seal corrects the count of a pack that got more objects, and its digest.
func seal(pack *os.File, more int) error {
	count := make([]byte, 4)
	if _, err := pack.ReadAt(count, 8); err != nil {
		return err
	}
	binary.BigEndian.PutUint32(count, binary.BigEndian.Uint32(count)+uint32(more))
	if _, err := pack.WriteAt(count, 8); err != nil {
		return err
	}
	end, err := pack.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	digest := sha1.New() //nolint:gosec // see the import
	if _, err := io.Copy(digest, io.NewSectionReader(pack, 0, end)); err != nil {
		return err
	}
	if _, err := pack.WriteAt(digest.Sum(nil), end); err != nil {
		return err
	}
	return pack.Truncate(end + sha1.Size)
}

// file indexes a complete pack, and has both on disk under the name that Git gives
// them.
func file(pack *os.File, dir string) (name string, err error) {
	index := new(idxfile.Writer)
	digest, err := parse(pack, index)
	if err != nil {
		return "", &unfit{fmt.Errorf("read its pack: %w", err)}
	}
	name = "pack-" + digest.String()
	if err := errors.Join(writeIndex(index, filepath.Join(dir, name+".idx")), pack.Sync()); err != nil {
		return "", err
	}
	return name, os.Rename(pack.Name(), filepath.Join(dir, name+".pack"))
}
