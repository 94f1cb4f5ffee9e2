package pack

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"syncd.io/syncd/internal/fault"
)

// ErrIncomplete is in the chain of an error about a file that ends too early: it may
// be in the midst of being copied.
var ErrIncomplete = errors.New("the file ends too early")

// Verify says who signed a manifest's bytes; signature is nil where nobody did.
// Errors: Rejected where such a signature is not accepted.
type Verify func(manifest, signature []byte) (signer string, err error)

// Pack is an open pack whose manifest is believed. What it reads is one file, also
// when another is put in its place.
type Pack struct {
	Manifest Manifest
	// Signer is who signed it; empty where nobody had to.
	Signer string
	// ID names the pack: the digest of its manifest, in hex.
	ID string

	file   *os.File
	places map[string]int64 // member -> where its bytes begin
}

// Open reads a pack's manifest, and holds all names and lengths against it; no
// member's bytes are looked at. Errors: Rejected for what is no pack that can be
// used, or longer than limit bytes; ErrIncomplete is in the chain where the rest may
// be on its way. The caller has to close it.
func Open(path string, limit int64, verify Verify) (*Pack, error) {
	f, err := os.OpenFile(path, readable, 0)
	if err != nil {
		return nil, err
	}
	return openFile(f, limit, verify)
}

// readable is how packs are opened: a pipe must not keep us waiting.
const readable = os.O_RDONLY | syscall.O_NONBLOCK

// openFile is Open for a file, which it takes over.
func openFile(f *os.File, limit int64, verify Verify) (*Pack, error) {
	p := &Pack{file: f, places: map[string]int64{}}
	if err := p.read(limit, verify); err != nil {
		f.Close() //nolint:errcheck // it was only read
		return nil, err
	}
	return p, nil
}

// short is enough of the ID to tell packs apart.
func (p *Pack) short() string { return p.ID[:20] }

// Close lets go of the file.
func (p *Pack) Close() error { return p.file.Close() }

func (p *Pack) read(limit int64, verify Verify) error {
	info, err := p.file.Stat()
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return broken("it is no regular file")
	case info.Size() > limit:
		return fault.Hint(broken("it is larger than %d MiB", limit>>20), "if it is meant to be, raise packs.size in syncd.yaml")
	}
	w := &walk{at: io.NewSectionReader(p.file, 0, info.Size())}
	w.tar = tar.NewReader(w.at)
	next, err := p.head(w, verify)
	if err != nil {
		return err
	}
	if p.Manifest.Size() > info.Size() {
		return incomplete("its manifest tells of more bytes than it has")
	}
	for _, m := range p.Manifest.Members {
		if next == nil {
			return incomplete("it lacks the member %s", m.Name)
		}
		if next.Name != m.Name || next.Size != m.Size {
			return broken("it has the member %.100q of %d bytes where its manifest has %s of %d", next.Name, next.Size, m.Name, m.Size)
		}
		if p.places[m.Name], err = w.here(); err != nil {
			return err
		}
		if next, err = w.next(); err != nil {
			return err
		}
	}
	if next != nil {
		return broken("it has the member %.100q, which its manifest does not list", next.Name)
	}
	return w.end()
}

// head reads the manifest and its signature, and returns the header behind them.
func (p *Pack) head(w *walk, verify Verify) (*tar.Header, error) {
	manifest, err := w.small(manifestName, maxManifest)
	if err != nil {
		return nil, err
	}
	next, err := w.next()
	if err != nil {
		return nil, err
	}
	if next == nil { // there may be more of it to come
		if err := w.end(); err != nil {
			return nil, err
		}
	}
	var signature []byte
	if next != nil && next.Name == signatureName {
		if signature, err = w.content(next, maxSignature); err != nil {
			return nil, err
		}
		if next, err = w.next(); err != nil {
			return nil, err
		}
	}
	if p.Signer, err = verify(manifest, signature); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(manifest)
	p.ID = hex.EncodeToString(sum[:])
	p.Manifest, err = parseManifest(manifest)
	return next, err
}

func incomplete(format string, args ...any) error {
	return fmt.Errorf("%w: %w", broken(format, args...), ErrIncomplete)
}

// walk goes through an archive, and takes plain files only.
type walk struct {
	at  *io.SectionReader
	tar *tar.Reader
}

// next is the next member; nil at the end.
func (w *walk) next() (*tar.Header, error) {
	h, err := w.tar.Next()
	switch {
	case errors.Is(err, io.EOF):
		return nil, nil
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, incomplete("it is not whole")
	case err != nil:
		return nil, broken("it is no tar archive, or a damaged one")
	case h.Typeflag != tar.TypeReg || len(h.PAXRecords) > 0 || h.Format&(tar.FormatUSTAR|tar.FormatGNU) == 0:
		return nil, broken("the member %.100q is no plain file", h.Name)
	}
	return h, nil
}

// here is where the bytes of the member begin.
func (w *walk) here() (int64, error) { return w.at.Seek(0, io.SeekCurrent) }

// small reads the member that has to come next.
func (w *walk) small(name string, limit int64) ([]byte, error) {
	h, err := w.next()
	switch {
	case err != nil:
		return nil, err
	case h == nil:
		return nil, incomplete("it is empty")
	case h.Name != name:
		return nil, broken("it does not begin with %s", name)
	}
	return w.content(h, limit)
}

func (w *walk) content(h *tar.Header, limit int64) ([]byte, error) {
	if h.Size > limit {
		return nil, broken("its %s is longer than %d KiB", h.Name, limit>>10)
	}
	data, err := io.ReadAll(w.tar)
	if err != nil {
		return nil, incomplete("its %s is not whole", h.Name)
	}
	return data, nil
}

// end sees that nothing comes but the two empty blocks that end an archive.
func (w *walk) end() error {
	at, err := w.here()
	if err != nil {
		return err
	}
	const blocks = 2 * 512
	// the reader has taken both blocks, where they are there
	if at != w.at.Size() {
		return broken("it has something behind its end")
	}
	tail := make([]byte, blocks)
	if _, err := w.at.ReadAt(tail, at-blocks); err != nil || !bytes.Equal(tail, make([]byte, blocks)) {
		return incomplete("its end is missing")
	}
	return nil
}

// Check reads all members, and holds them against their digests. Nothing of a pack
// is used before.
func (p *Pack) Check(ctx context.Context) error {
	for _, m := range p.Manifest.Members {
		if err := p.Copy(ctx, io.Discard, m.Name); err != nil {
			return err
		}
	}
	return nil
}

// Copy writes a member's bytes to w; they are checked once more as they pass, and
// are not to be used where there is an error. Rejected: they are not those that the
// manifest lists.
func (p *Pack) Copy(ctx context.Context, w io.Writer, name string) error {
	i := -1
	for n, m := range p.Manifest.Members {
		if m.Name == name {
			i = n
		}
	}
	if i < 0 {
		return broken("it has no member %.100q", name)
	}
	m := p.Manifest.Members[i]
	digest := sha256.New()
	from := &reader{ctx: ctx, r: io.NewSectionReader(p.file, p.places[name], m.Size)}
	n, err := io.Copy(io.MultiWriter(w, digest), from)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("read the member %s: %w", name, err)
	case n != m.Size || hex.EncodeToString(digest.Sum(nil)) != m.SHA256:
		return broken("the member %s does not have the bytes that its manifest lists", name)
	}
	return nil
}

// reader ends with its context.
type reader struct {
	ctx context.Context
	r   io.Reader
}

// Read reads unless the context has ended.
func (r *reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.r.Read(p)
}
