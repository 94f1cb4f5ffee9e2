// Package store keeps images in an OCI layout on disk: blobs by digest, and which of
// them have which name.
package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	dig "github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"syncd.io/syncd/internal/durable"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/image/oci"
)

// temporary is how names of blobs begin that are being written.
const temporary = ".part-"

// Layout is an OCI layout in a directory. One caller at a time changes it.
type Layout struct{ Dir string }

// Named is an image of a layout.
type Named struct {
	// Name is as people write it, Top what it means.
	Name string
	Top  ocispec.Descriptor
}

func (l Layout) blobs() string { return filepath.Join(l.Dir, "blobs", "sha256") }

// path is where a blob lies. Errors: of what is no digest.
func (l Layout) path(digest string) (string, error) {
	hex, ok := oci.Hex(digest)
	if !ok {
		return "", fault.As(fault.Rejected, fmt.Errorf("%.80q is no digest", digest))
	}
	return filepath.Join(l.blobs(), hex), nil
}

// Has tells whether a blob is there, whole.
func (l Layout) Has(digest string) bool {
	path, err := l.path(digest)
	if err != nil {
		return false
	}
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular()
}

// Open implements oci.Blobs.
func (l Layout) Open(_ context.Context, d ocispec.Descriptor) (io.ReadCloser, error) {
	path, err := l.path(d.Digest.String())
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("blob %s: %w", d.Digest, oci.ErrAbsent)
	}
	return f, err
}

// Put has a blob there, checked, unless it is there.
func (l Layout) Put(ctx context.Context, from oci.Blobs, d ocispec.Descriptor) error {
	if l.Has(d.Digest.String()) {
		return nil
	}
	return oci.Each(ctx, from, []ocispec.Descriptor{d}, l.Keep)
}

// Keep has a blob of this content there, checked. Whatever ends it, a blob is there
// whole or not at all.
func (l Layout) Keep(d ocispec.Descriptor, content io.Reader) (err error) {
	path, err := l.path(d.Digest.String())
	if err != nil {
		return err
	}
	if err := os.MkdirAll(l.blobs(), 0o700); err != nil {
		return disk(err)
	}
	temp, err := os.CreateTemp(l.blobs(), temporary)
	if err != nil {
		return disk(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temp.Name()))
		}
	}()
	_, err = io.Copy(temp, oci.Verified(content, d))
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return disk(err)
	}
	return disk(os.Rename(temp.Name(), path))
}

// Adopt moves the blobs of another layout here. What is no blob by its name stays
// there.
func (l Layout) Adopt(ctx context.Context, from Layout) error {
	entries, err := os.ReadDir(from.blobs())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return disk(err)
	}
	if err := os.MkdirAll(l.blobs(), 0o700); err != nil {
		return disk(err)
	}
	for _, e := range entries {
		if _, ok := oci.Hex("sha256:" + e.Name()); !ok || !e.Type().IsRegular() {
			continue
		}
		err := os.Rename(filepath.Join(from.blobs(), e.Name()), filepath.Join(l.blobs(), e.Name()))
		if errors.Is(err, syscall.EXDEV) { // another disk
			err = l.Put(ctx, from, ocispec.Descriptor{Digest: dig.Digest("sha256:" + e.Name())})
		}
		if err != nil {
			return disk(err)
		}
	}
	return disk(durable.SyncDir(l.blobs()))
}

// Discard removes those blobs that are not what their digest says any more, and
// returns them: a disk may have lost what it was given.
func (l Layout) Discard(ctx context.Context, digests []string) ([]string, error) {
	var bad []string
	for _, digest := range digests {
		content, err := l.Open(ctx, ocispec.Descriptor{Digest: dig.Digest(digest)})
		if err != nil {
			return bad, disk(err)
		}
		_, err = io.Copy(io.Discard, oci.Verified(content, ocispec.Descriptor{Digest: dig.Digest(digest)}))
		content.Close() //nolint:errcheck // it was only read
		if !errors.Is(err, oci.ErrOther) {
			if err != nil {
				return bad, disk(err)
			}
			continue
		}
		path, err := l.path(digest)
		if err == nil {
			err = os.Remove(path)
		}
		if err != nil {
			return bad, disk(err)
		}
		bad = append(bad, digest)
	}
	return bad, nil
}

// Name writes the layout's index: these images and no others.
func (l Layout) Name(images []Named) error {
	index := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{}}
	for _, i := range images {
		d := i.Top
		d.Annotations = map[string]string{"io.containerd.image.name": i.Name, ocispec.AnnotationRefName: i.Name}
		index.Manifests = append(index.Manifests, d)
	}
	if err := os.MkdirAll(l.blobs(), 0o700); err != nil {
		return disk(err)
	}
	if err := l.write(ocispec.ImageIndexFile, index); err != nil {
		return err
	}
	return l.write(ocispec.ImageLayoutFile, ocispec.ImageLayout{Version: ocispec.ImageLayoutVersion})
}

func (l Layout) write(name string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return disk(durable.Replace(filepath.Join(l.Dir, name), raw))
}

// Held are the digests of all blobs.
func (l Layout) Held() ([]string, error) {
	entries, err := os.ReadDir(l.blobs())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the images' blobs: %w", err)
	}
	var out []string
	for _, e := range entries {
		if digest := "sha256:" + e.Name(); e.Type().IsRegular() {
			if _, ok := oci.Hex(digest); ok {
				out = append(out, digest)
			}
		}
	}
	return out, nil
}

// Collect removes the blobs that are not in keep, and those that were left half
// written.
func (l Layout) Collect(keep map[string]bool) error {
	entries, err := os.ReadDir(l.blobs())
	if err != nil {
		return disk(err)
	}
	for _, e := range entries {
		if _, ok := oci.Hex("sha256:" + e.Name()); ok && keep["sha256:"+e.Name()] || !ok && !strings.HasPrefix(e.Name(), temporary) {
			continue
		}
		if err := os.Remove(filepath.Join(l.blobs(), e.Name())); err != nil {
			return disk(err)
		}
	}
	return nil
}

// disk is for what nobody's image is to blame for.
func disk(err error) error {
	if err == nil || fault.Of(err) != fault.Unknown || errors.Is(err, oci.ErrOther) || errors.Is(err, oci.ErrAbsent) {
		return err
	}
	hint := "see that the disk is there and may be written"
	if errors.Is(err, syscall.ENOSPC) {
		hint = "free space on the disk; what is there already is not fetched again"
	}
	return fault.Hint(fault.As(fault.Unreachable, err), hint)
}

// Small returns a manifest, checked.
func (l Layout) Small(ctx context.Context, digest string) ([]byte, error) {
	return oci.Read(ctx, l, ocispec.Descriptor{Digest: dig.Digest(digest)}, oci.MaxManifest)
}
