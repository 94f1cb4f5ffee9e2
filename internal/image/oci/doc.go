// Package oci says what an image is: the name that a person writes, the manifest
// and the layers that it means on a platform, and the archive of it that an engine
// loads. It knows no network and no directory: bytes come from a Blobs.
package oci

import (
	"context"
	"errors"
	"io"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Bounds of what is read into memory. Registries refuse manifests beyond the first
// themselves.
const (
	// MaxManifest is the size of a manifest or an index, in bytes.
	MaxManifest = 4 << 20
	// MaxConfig is the size of an image's configuration, in bytes.
	MaxConfig = 8 << 20
	// MaxLayers is how many layers an image may have; engines bear 127.
	MaxLayers = 512
)

// ErrAbsent is said of what a place does not have.
var ErrAbsent = errors.New("it is not there")

// Blobs gives the bytes that a descriptor names.
type Blobs interface {
	// Open returns a blob's content, which nobody has checked yet: see Verified. It
	// is closed by the caller. Errors: ErrAbsent where it is not there.
	Open(ctx context.Context, d ocispec.Descriptor) (io.ReadCloser, error)
}
