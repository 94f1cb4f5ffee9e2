package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"syncd.io/syncd/internal/image/oci"
)

// blobs are the files of an archive by digest.
type blobs struct {
	in contents
	// at are those that lie elsewhere than in a layout.
	at map[digest.Digest]string
}

// Open implements oci.Blobs.
func (b blobs) Open(_ context.Context, d ocispec.Descriptor) (io.ReadCloser, error) {
	name, err := b.find(d)
	if err != nil {
		return nil, err
	}
	r, _, err := b.in.open(name)
	return r, err
}

// find returns where a blob lies, which has the size that it should have.
func (b blobs) find(d ocispec.Descriptor) (string, error) {
	name, ok := b.at[d.Digest]
	if !ok {
		hex, valid := oci.Hex(d.Digest.String())
		if !valid {
			return "", fmt.Errorf("%.80q is no digest", d.Digest)
		}
		name = "blobs/sha256/" + hex
	}
	size, err := b.in.stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%s: %w", name, oci.ErrAbsent)
	case err != nil:
		return "", err
	case size != d.Size:
		return "", fmt.Errorf("%w: %s has %d bytes, not %d", oci.ErrOther, name, size, d.Size)
	}
	return name, nil
}

// Each implements oci.Stream: an archive that is compressed is unpacked once for all.
func (b blobs) Each(ctx context.Context, all []ocispec.Descriptor, take func(d ocispec.Descriptor, content io.Reader) error) error {
	stream, ok := b.in.(packed)
	if !ok {
		return oci.Each(ctx, opening{b}, all, take)
	}
	var names []string
	at := map[string]ocispec.Descriptor{}
	for _, d := range all {
		name, err := b.find(d)
		if err != nil {
			return err
		}
		names, at[name] = append(names, name), d
	}
	return stream.each(ctx, names, func(name string, content io.Reader) error { return take(at[name], content) })
}

// opening are blobs that are opened one by one.
type opening struct{ oci.Blobs }
