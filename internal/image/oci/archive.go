package oci

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// dockerFile is what engines before containerd's image store look for.
const dockerFile = "manifest.json"

// Saving says how an image is written.
type Saving struct {
	// Skip is how many of the lowest layers are left out, because whoever reads it
	// has them.
	Skip int
	// Told hears how far a layer is, in bytes; nil is nobody.
	Told func(layer string, done, total int64)
}

// saved is an entry of dockerFile.
type saved struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// Save writes the image as an archive that every engine loads: it is what `docker
// save` writes, and an OCI archive at once. It carries no name, so that loading it
// moves no tag. Layers are checked as they pass; where one is not what it should
// be, the archive ends in the middle, and the error says so (ErrOther).
func (i Image) Save(ctx context.Context, w io.Writer, blobs Blobs, how Saving) error {
	out := &archive{tar: tar.NewWriter(w), done: map[string]bool{}}
	if err := i.head(out); err != nil {
		return err
	}
	// in whatever order: engines look layers up by their names
	err := Each(ctx, blobs, i.Layers[min(how.Skip, len(i.Layers)):], func(d ocispec.Descriptor, content io.Reader) error {
		if err := out.layer(d, content, how.Told); err != nil {
			return fmt.Errorf("layer %s: %w", short(d.Digest.String()), err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return out.tar.Close()
}

// head writes all but the layers.
func (i Image) head(out *archive) error {
	index := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{i.Top}}
	list := []saved{{Config: blobPath(i.Config)}}
	for _, layer := range i.Layers {
		list[0].Layers = append(list[0].Layers, blobPath(layer))
	}
	for name, value := range map[string]any{
		ocispec.ImageLayoutFile: ocispec.ImageLayout{Version: ocispec.ImageLayoutVersion}, ocispec.ImageIndexFile: index, dockerFile: list,
	} {
		raw, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("write %s of an image: %w", name, err)
		}
		if err := out.file(name, int64(len(raw)), bytes.NewReader(raw)); err != nil {
			return err
		}
	}
	for _, d := range []ocispec.Descriptor{i.Top, i.Manifest, i.Config} {
		raw := i.small[d.Digest]
		if err := out.file(blobPath(d), int64(len(raw)), bytes.NewReader(raw)); err != nil {
			return err
		}
	}
	return nil
}

// archive is one that is being written; no member comes twice.
type archive struct {
	tar  *tar.Writer
	done map[string]bool
}

func (a *archive) file(name string, size int64, from io.Reader) error {
	if a.done[name] {
		return nil
	}
	a.done[name] = true
	if err := a.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: size, Format: tar.FormatPAX}); err != nil {
		return err
	}
	_, err := io.Copy(a.tar, from)
	return err
}

func (a *archive) layer(d ocispec.Descriptor, content io.Reader, told func(string, int64, int64)) error {
	from := Verified(content, d)
	if told != nil {
		from = &counted{from: from, told: func(done int64) { told(short(d.Digest.String()), done, d.Size) }}
	}
	err := a.file(blobPath(d), d.Size, from)
	if errors.Is(err, tar.ErrWriteTooLong) {
		return fmt.Errorf("%w: it is longer than %d bytes", ErrOther, d.Size)
	}
	return err
}

// counted tells how much was read.
type counted struct {
	from io.Reader
	done int64
	told func(done int64)
}

// Read reads, and tells.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	if c.done += int64(n); n > 0 {
		c.told(c.done)
	}
	return n, err
}

func blobPath(d ocispec.Descriptor) string {
	return "blobs/" + strings.Replace(d.Digest.String(), ":", "/", 1)
}

func short(digest string) string {
	const digits = 12
	name := strings.TrimPrefix(digest, prefix)
	return name[:min(len(name), digits)]
}
