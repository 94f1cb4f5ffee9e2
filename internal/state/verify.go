package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
)

// bbolt maps its file into memory and follows page numbers without checking
// them: a flipped bit or a cut end kills the process that reads it, at every
// start again. So the structure is verified here, page by page and bounds
// checked, before bbolt sees the file. The values need no check: they are sealed.
//
// The format is version 2, unchanged since 2014: a page has a header {id 8,
// flags 2, count 2, overflow 4}, then elements of 16 bytes, in the byte order of
// the machine.
const (
	headerSize  = 16
	elementSize = 16
	metaSize    = 64
	boltMagic   = 0xED0CDAED
	boltVersion = 2
	noFreelist  = ^uint64(0)

	branchPage   = 0x01
	leafPage     = 0x02
	freelistPage = 0x10

	maxTreeDepth = 32
)

// pages is a database file that is being verified.
type pages struct {
	file     io.ReaderAt
	pageSize uint64
	high     uint64 // the first page number that is not in use
	used     map[uint64]bool
}

// meta is what the newest valid meta page says.
type meta struct{ pageSize, root, freelist, high, tx uint64 }

// verify returns what is wrong with the structure of a database file.
func verify(file io.ReaderAt, size int64) error {
	m, ok := newestMeta(file, size)
	if !ok {
		return fmt.Errorf("no valid meta page")
	}
	if m.high < 3 || m.high > uint64(size)/m.pageSize {
		return fmt.Errorf("the file is cut off: %d bytes, want %d pages of %d", size, m.high, m.pageSize)
	}
	p := &pages{file: file, pageSize: m.pageSize, high: m.high, used: map[uint64]bool{0: true, 1: true}}
	if err := p.tree(m.root, nil, nil, 0); err != nil {
		return err
	}
	return p.free(m.freelist)
}

// newestMeta looks for the two meta pages at every page size that bbolt uses.
func newestMeta(file io.ReaderAt, size int64) (meta, bool) {
	var best meta
	found := false
	for _, offset := range []int64{0, 1 << 10, 1 << 11, 1 << 12, 1 << 13, 1 << 14, 1 << 15, 1 << 16} {
		if m, ok := readMeta(file, offset); ok && (offset == 0 || uint64(offset) == m.pageSize) && (!found || m.tx > best.tx) {
			best, found = m, true
		}
	}
	return best, found && size > 0
}

func readMeta(file io.ReaderAt, offset int64) (meta, bool) {
	page := make([]byte, headerSize+metaSize)
	if _, err := file.ReadAt(page, offset); err != nil {
		return meta{}, false
	}
	raw, order := page[headerSize:], binary.NativeEndian
	sum := fnv.New64a()
	sum.Write(raw[:56])
	if order.Uint32(raw) != boltMagic || order.Uint32(raw[4:]) != boltVersion || order.Uint64(raw[56:]) != sum.Sum64() {
		return meta{}, false
	}
	m := meta{pageSize: uint64(order.Uint32(raw[8:])), root: order.Uint64(raw[16:]), freelist: order.Uint64(raw[32:]), high: order.Uint64(raw[40:]), tx: order.Uint64(raw[48:])}
	return m, m.pageSize >= 1<<10 && m.pageSize <= 1<<16
}

// take reads page id with its overflow and marks both as used. No page is used
// twice.
func (p *pages) take(id uint64) ([]byte, error) {
	header := make([]byte, headerSize)
	if id < 2 || id >= p.high {
		return nil, fmt.Errorf("page %d is out of range", id)
	}
	if _, err := p.file.ReadAt(header, int64(id*p.pageSize)); err != nil {
		return nil, fmt.Errorf("read page %d: %w", id, err)
	}
	count := uint64(binary.NativeEndian.Uint32(header[12:])) + 1
	if got := binary.NativeEndian.Uint64(header); got != id || count > p.high-id {
		return nil, fmt.Errorf("page %d has a damaged header", id)
	}
	for i := id; i < id+count; i++ {
		if p.used[i] {
			return nil, fmt.Errorf("page %d is used twice", i)
		}
		p.used[i] = true
	}
	page := make([]byte, count*p.pageSize)
	if _, err := p.file.ReadAt(page, int64(id*p.pageSize)); err != nil {
		return nil, fmt.Errorf("read page %d: %w", id, err)
	}
	return page, nil
}

// element is one entry of a branch or leaf page.
type element struct {
	flags      uint32 // of a leaf
	child      uint64 // of a branch
	key, value []byte
}

// tree verifies page id and all below it. Its keys begin with low, which is what
// bbolt finds the page by when it writes it back, and lie below high.
func (p *pages) tree(id uint64, low, high []byte, depth int) error {
	page, err := p.take(id)
	if err != nil {
		return err
	}
	if depth > maxTreeDepth {
		return fmt.Errorf("page %d is too deep", id)
	}
	entries, err := elements(page, low, high)
	if err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	if binary.NativeEndian.Uint16(page[8:]) == leafPage {
		return p.buckets(entries, depth)
	}
	for i, e := range entries {
		next := high
		if i+1 < len(entries) {
			next = entries[i+1].key
		}
		if err := p.tree(e.child, e.key, next, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// buckets follows the elements that are buckets: into their own tree, or, when
// small, into the page that their value holds.
func (p *pages) buckets(entries []element, depth int) error {
	for _, e := range entries {
		switch {
		case e.flags == 0:
			continue
		case e.flags != 1 || len(e.value) < 16:
			return fmt.Errorf("bucket %q is damaged", e.key)
		}
		if root := binary.NativeEndian.Uint64(e.value); root != 0 {
			if err := p.tree(root, nil, nil, depth+1); err != nil {
				return err
			}
			continue
		}
		inline := e.value[16:]
		if len(inline) < headerSize || binary.NativeEndian.Uint16(inline[8:]) != leafPage || binary.NativeEndian.Uint32(inline[12:]) != 0 {
			return fmt.Errorf("bucket %q is damaged", e.key)
		}
		if _, err := elements(inline, nil, nil); err != nil {
			return fmt.Errorf("bucket %q: %w", e.key, err)
		}
	}
	return nil
}

// elements reads the entries of a branch or leaf page, whose keys must be
// ascending, begin with low where it is given, and lie below high.
func elements(page, low, high []byte) ([]element, error) {
	order := binary.NativeEndian
	kind, count := order.Uint16(page[8:]), int(order.Uint16(page[10:]))
	if kind != leafPage && (kind != branchPage || count == 0) || headerSize+count*elementSize > len(page) {
		return nil, fmt.Errorf("damaged header")
	}
	out := make([]element, count)
	for i := range out {
		at := headerSize + i*elementSize
		raw := page[at : at+elementSize]
		var e element
		var start, keyLen, valueLen uint64
		if kind == leafPage {
			e.flags = order.Uint32(raw)
			start, keyLen, valueLen = uint64(order.Uint32(raw[4:])), uint64(order.Uint32(raw[8:])), uint64(order.Uint32(raw[12:]))
		} else {
			start, keyLen, e.child = uint64(order.Uint32(raw)), uint64(order.Uint32(raw[4:])), order.Uint64(raw[8:])
		}
		start += uint64(at)
		if start+keyLen+valueLen > uint64(len(page)) {
			return nil, fmt.Errorf("entry %d lies outside", i)
		}
		e.key, e.value = page[start:start+keyLen], page[start+keyLen:start+keyLen+valueLen]
		if i > 0 && bytes.Compare(out[i-1].key, e.key) >= 0 || i == 0 && low != nil && !bytes.Equal(e.key, low) || high != nil && bytes.Compare(e.key, high) >= 0 {
			return nil, fmt.Errorf("entry %d is out of order", i)
		}
		out[i] = e
	}
	return out, nil
}

// free verifies the list of free pages: ascending, and none of them in use, or
// the next write would overwrite what is.
func (p *pages) free(id uint64) error {
	if id == noFreelist {
		return nil
	}
	page, err := p.take(id)
	if err != nil {
		return err
	}
	order := binary.NativeEndian
	ids, count := page[headerSize:], uint64(order.Uint16(page[10:]))
	if count == 0xFFFF {
		count, ids = order.Uint64(ids), ids[8:]
	}
	if order.Uint16(page[8:]) != freelistPage || count > uint64(len(ids))/8 {
		return fmt.Errorf("the list of free pages is damaged")
	}
	last := uint64(1)
	for i := range count {
		free := order.Uint64(ids[i*8:])
		if free <= last || free >= p.high || p.used[free] {
			return fmt.Errorf("the list of free pages is damaged at page %d", free)
		}
		last = free
	}
	return nil
}
