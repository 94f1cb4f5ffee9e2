package fetch

import (
	"bufio"
	"compress/zlib"
	"crypto/sha1" //nolint:gosec // a pack's own checksum, not a protection of our own
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"os"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
)

// packer writes a pack of whole objects, one after the other.
type packer struct {
	file    *os.File
	out     *bufio.Writer
	zip     *zlib.Writer
	crc     hash.Hash32
	offset  int64
	entries map[plumbing.Hash]packed
}

// packed is where an object is.
type packed struct {
	kind   plumbing.ObjectType
	size   int64
	offset int64
	crc    uint32
}

func newPacker(f *os.File) (*packer, error) {
	p := &packer{file: f, out: bufio.NewWriterSize(f, 64<<10), crc: crc32.NewIEEE(), entries: map[plumbing.Hash]packed{}}
	p.zip = zlib.NewWriter(p)
	_, err := p.Write(make([]byte, packHeader)) // filled in by finish
	return p, err
}

// Write takes bytes of the pack.
func (p *packer) Write(b []byte) (int, error) {
	n, err := p.out.Write(b)
	p.offset += int64(n)
	p.crc.Write(b[:n])
	return n, err
}

// add takes an object whose content is read from r; what is there already is left.
func (p *packer) add(name plumbing.Hash, kind plumbing.ObjectType, size int64, r io.Reader) error {
	if _, there := p.entries[name]; there {
		return nil
	}
	e := packed{kind: kind, size: size, offset: p.offset}
	p.crc.Reset()
	if _, err := p.Write(entryHeader(kind, size)); err != nil {
		return err
	}
	p.zip.Reset(p)
	h := plumbing.NewHasher(kind, size)
	n, err := io.Copy(io.MultiWriter(p.zip, h), r)
	if err := errors.Join(err, p.zip.Close()); err != nil {
		return err
	}
	if n != size || h.Sum() != name {
		return fmt.Errorf("%w: object %s has other bytes", errOdd, name)
	}
	e.crc = p.crc.Sum32()
	p.entries[name] = e
	return nil
}

// entryHeader is an object's type and size: four bits of it, then seven a byte.
func entryHeader(kind plumbing.ObjectType, size int64) []byte {
	b := byte(kind)<<4 | byte(size&15)
	size >>= 4
	var out []byte
	for size > 0 {
		out = append(out, b|0x80)
		b = byte(size & 0x7f)
		size >>= 7
	}
	return append(out, b)
}

// finish writes how many objects there are and the checksum, and returns that with
// the index.
func (p *packer) finish() (sum plumbing.Hash, index *idxfile.Writer, err error) {
	var header [packHeader]byte
	copy(header[:], "PACK\x00\x00\x00\x02")
	binary.BigEndian.PutUint32(header[8:], uint32(len(p.entries)))
	if err := p.out.Flush(); err != nil {
		return sum, nil, err
	}
	if _, err := p.file.WriteAt(header[:], 0); err != nil {
		return sum, nil, err
	}
	h := sha1.New() //nolint:gosec // see the import
	if _, err := io.Copy(h, io.NewSectionReader(p.file, 0, p.offset)); err != nil {
		return sum, nil, err
	}
	copy(sum[:], h.Sum(nil))
	if _, err := p.file.WriteAt(sum[:], p.offset); err != nil {
		return sum, nil, err
	}
	index = new(idxfile.Writer)
	if err := index.OnHeader(uint32(len(p.entries))); err != nil {
		return sum, nil, err
	}
	for name, e := range p.entries {
		index.Add(name, uint64(e.offset), e.crc)
	}
	return sum, index, errors.Join(index.OnFooter(sum), p.file.Sync())
}

// read gives back the content of an object that was added; nil where there is none.
func (p *packer) read(name plumbing.Hash) (plumbing.EncodedObject, error) {
	e, there := p.entries[name]
	if !there {
		return nil, nil
	}
	if err := p.out.Flush(); err != nil {
		return nil, err
	}
	begin := e.offset + int64(len(entryHeader(e.kind, e.size)))
	z, err := zlib.NewReader(bufio.NewReader(io.NewSectionReader(p.file, begin, p.offset-begin)))
	if err != nil {
		return nil, err
	}
	obj := &plumbing.MemoryObject{}
	obj.SetType(e.kind)
	_, err = io.Copy(obj, io.LimitReader(z, e.size))
	return obj, errors.Join(err, z.Close())
}
