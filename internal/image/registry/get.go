package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/image/oci"
	"syncd.io/syncd/internal/nap"
)

const (
	// manifestLimit is how long a manifest may take, from question to last byte.
	manifestLimit = time.Minute
	// tries is how often a blob is asked for again without a byte of progress.
	tries = 3
	pause = time.Second
)

// Head resolves a tag or a digest to the manifest that it means. The answer is held
// against the digest where one was asked for. Errors: ErrAbsent, ErrOther,
// Unreachable, Blocked, Rejected.
func (r *Repo) Head(ctx context.Context, which string) (ocispec.Descriptor, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, manifestLimit)
	defer cancel()
	res, err := r.get(ctx, "manifests/"+which, http.Header{"Accept": {strings.Join(oci.Accepted(), ", ")}})
	if err != nil {
		return ocispec.Descriptor{}, nil, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, oci.MaxManifest+1))
	if err != nil {
		return ocispec.Descriptor{}, nil, r.classify(ctx, err)
	}
	if len(raw) > oci.MaxManifest {
		return ocispec.Descriptor{}, nil, fault.As(fault.Rejected, fmt.Errorf("its manifest has more than %d MiB", oci.MaxManifest>>20))
	}
	d := ocispec.Descriptor{MediaType: oci.MediaType(res.Header.Get("Content-Type"), raw), Digest: digest.Digest(oci.DigestOf(raw)), Size: int64(len(raw))}
	if _, asked := oci.Hex(which); asked && d.Digest.String() != which {
		return ocispec.Descriptor{}, nil, r.lies(fmt.Errorf("%w: asked for %s, it sends %s", oci.ErrOther, which, d.Digest))
	}
	return d, raw, nil
}

// Resolve finds the image that a tag or a digest means for a platform, without its
// layers. Errors: those of Head; Rejected for what is none for the platform.
func (r *Repo) Resolve(ctx context.Context, which string, platform ocispec.Platform) (oci.Image, error) {
	top, raw, err := r.Head(ctx, which)
	if err != nil {
		return oci.Image{}, err
	}
	return oci.Resolve(ctx, begun{r, top, raw}, top, platform)
}

// begun is a repository of which one manifest is read already.
type begun struct {
	*Repo
	top ocispec.Descriptor
	raw []byte
}

// Open implements oci.Blobs.
func (b begun) Open(ctx context.Context, d ocispec.Descriptor) (io.ReadCloser, error) {
	if d.Digest == b.top.Digest {
		return io.NopCloser(bytes.NewReader(b.raw)), nil
	}
	return b.Repo.Open(ctx, d)
}

// Open implements oci.Blobs. A manifest is asked for as one. A blob whose
// connection breaks is asked for again from where it broke.
func (r *Repo) Open(ctx context.Context, d ocispec.Descriptor) (io.ReadCloser, error) {
	if isManifest(d) {
		_, raw, err := r.Head(ctx, d.Digest.String())
		return io.NopCloser(bytes.NewReader(raw)), err
	}
	b := &blob{repo: r, ctx: ctx, want: d}
	if err := b.open(); err != nil {
		return nil, err
	}
	return b, nil
}

func isManifest(d ocispec.Descriptor) bool { return slices.Contains(oci.Accepted(), d.MediaType) }

// blob is one that is being read.
type blob struct {
	repo *Repo
	ctx  context.Context //nolint:containedctx // a reader has no other way to be interrupted
	want ocispec.Descriptor
	body io.ReadCloser
	read int64
	// failed is how often it broke since the last byte.
	failed int
}

// open asks for what is not read yet.
func (b *blob) open() error {
	header := http.Header{}
	if b.read > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-%d", b.read, b.want.Size-1))
	}
	res, err := b.repo.get(b.ctx, "blobs/"+b.want.Digest.String(), header) //nolint:bodyclose // Close does
	if err != nil {
		return err
	}
	b.body = res.Body
	if b.read == 0 || res.StatusCode == http.StatusPartialContent && strings.HasPrefix(res.Header.Get("Content-Range"), "bytes "+strconv.FormatInt(b.read, 10)+"-") {
		return nil
	}
	if _, err := io.CopyN(io.Discard, b.body, b.read); err != nil { // it sends all of it again
		return errors.Join(b.repo.classify(b.ctx, err), b.body.Close())
	}
	return nil
}

// Read reads on, over breaks of the connection.
func (b *blob) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	b.read += int64(n)
	if n > 0 {
		b.failed = 0
	}
	if err == nil || errors.Is(err, io.EOF) && b.read >= b.want.Size {
		return n, err
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, b.again(err)
}

// again opens the blob anew after a break; nil where reading goes on.
func (b *blob) again(broke error) error {
	for {
		if b.failed++; b.failed > tries || b.ctx.Err() != nil {
			return b.repo.classify(b.ctx, broke)
		}
		if err := errors.Join(b.body.Close(), nap.For(b.ctx, pause)); err != nil {
			return b.repo.classify(b.ctx, err)
		}
		if broke = b.open(); broke == nil {
			return nil
		}
	}
}

// Close ends the reading.
func (b *blob) Close() error { return b.body.Close() }

// get asks for something of the repository. The answer's body is closed by the
// caller.
func (r *Repo) get(ctx context.Context, what string, header http.Header) (*http.Response, error) {
	res, err := r.do(ctx, http.MethodGet, r.at(what), nil, 0, header)
	if err != nil {
		return nil, err
	}
	if err := transport.CheckError(res, http.StatusOK, http.StatusPartialContent); err != nil {
		return nil, errors.Join(r.classify(ctx, err), res.Body.Close())
	}
	return res, nil
}
