package oci

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Walk tells all that an image is made of, what names others after these: of an index
// those that are for one of the platforms, or all of them where none is given. Errors:
// those of blobs and of each; Rejected for what is no image, or for no such platform.
func Walk(ctx context.Context, blobs Blobs, top ocispec.Descriptor, platforms []ocispec.Platform, each func(ocispec.Descriptor) error) error {
	return walk(ctx, blobs, top, platforms, each, true)
}

func walk(ctx context.Context, blobs Blobs, d ocispec.Descriptor, platforms []ocispec.Platform, each func(ocispec.Descriptor) error, top bool) error {
	raw, err := Read(ctx, blobs, d, MaxManifest)
	if err != nil {
		return fmt.Errorf("read manifest %s: %w", short(d.Digest.String()), err)
	}
	var m body
	if err := json.Unmarshal(raw, &m); err != nil || m.SchemaVersion != 2 || m.Config != nil && m.Manifests != nil || !top && m.Manifests != nil {
		return noImage("its manifest %s is none of an image", d.Digest)
	}
	below := m.Manifests
	if len(platforms) > 0 && below != nil {
		below = nil
		for _, p := range platforms {
			one, err := pick(ocispec.Index{Manifests: m.Manifests}, p)
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(below, func(d ocispec.Descriptor) bool { return d.Digest == one.Digest }) {
				below = append(below, one)
			}
		}
	}
	for _, child := range below {
		if err := walk(ctx, blobs, child, platforms, each, false); err != nil {
			return err
		}
	}
	if m.Config != nil {
		m.Layers = append(m.Layers, *m.Config)
	}
	for _, blob := range append(m.Layers, d) {
		if _, ok := Hex(blob.Digest.String()); !ok {
			return noImage("its manifest names a digest that is none: %.80q", blob.Digest)
		}
		if err := each(blob); err != nil {
			return err
		}
	}
	return nil
}

// With returns blobs that have also the image's manifests and configuration.
func (i Image) With(blobs Blobs) Blobs { return with{i, blobs} }

type with struct {
	image Image
	blobs Blobs
}

// Open implements Blobs.
func (w with) Open(ctx context.Context, d ocispec.Descriptor) (io.ReadCloser, error) {
	if raw, ok := w.image.small[d.Digest]; ok {
		return io.NopCloser(bytes.NewReader(raw)), nil
	}
	return w.blobs.Open(ctx, d)
}

// Each implements Stream.
func (w with) Each(ctx context.Context, all []ocispec.Descriptor, take func(d ocispec.Descriptor, content io.Reader) error) error {
	var rest []ocispec.Descriptor
	for _, d := range distinct(all) {
		raw, ok := w.image.small[d.Digest]
		if !ok {
			rest = append(rest, d)
			continue
		}
		if err := take(d, bytes.NewReader(raw)); err != nil {
			return err
		}
	}
	return Each(ctx, w.blobs, rest, take)
}
