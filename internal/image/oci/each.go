package oci

import (
	"context"
	"errors"
	"fmt"
	"io"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Stream is how blobs are read that lie in a file which can be read from its beginning
// only.
type Stream interface {
	// Each hands on the content of some blobs, which nobody has checked yet, in the order
	// in which they lie there. Each of them is handed on once, however often it is named.
	// Errors: those of take; ErrAbsent where one is not there.
	Each(ctx context.Context, all []ocispec.Descriptor, take func(d ocispec.Descriptor, content io.Reader) error) error
}

// Each hands on the content of some blobs in the order that costs least: see Stream.
func Each(ctx context.Context, from Blobs, all []ocispec.Descriptor, take func(d ocispec.Descriptor, content io.Reader) error) error {
	if stream, ok := from.(Stream); ok {
		return stream.Each(ctx, all, take)
	}
	for _, d := range distinct(all) {
		content, err := from.Open(ctx, d)
		if err != nil {
			return fmt.Errorf("blob %s: %w", short(d.Digest.String()), err)
		}
		if err := errors.Join(take(d, content), content.Close()); err != nil {
			return err
		}
	}
	return nil
}

// distinct leaves one of those that have one digest.
func distinct(all []ocispec.Descriptor) []ocispec.Descriptor {
	seen := map[string]bool{}
	var out []ocispec.Descriptor
	for _, d := range all {
		if !seen[d.Digest.String()] {
			seen[d.Digest.String()] = true
			out = append(out, d)
		}
	}
	return out
}
