package oci

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"syncd.io/syncd/internal/fault"
)

// Media types of Docker, which mean the same as OCI's.
const (
	dockerIndex    = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
)

// Accepted are the media types of manifests that can be read.
func Accepted() []string {
	return []string{ocispec.MediaTypeImageIndex, ocispec.MediaTypeImageManifest, dockerIndex, dockerManifest}
}

// MediaType is that of a manifest: what the server says, where it is one, else what
// the manifest looks like.
func MediaType(header string, raw []byte) string {
	kind, _, _ := strings.Cut(header, ";")
	if kind = strings.TrimSpace(kind); slices.Contains(Accepted(), kind) {
		return kind
	}
	var it body
	switch err := json.Unmarshal(raw, &it); {
	case err == nil && slices.Contains(Accepted(), it.MediaType):
		return it.MediaType
	case it.Manifests != nil:
		return ocispec.MediaTypeImageIndex
	}
	return ocispec.MediaTypeImageManifest
}

// Describe returns the descriptor of a manifest or an index.
func Describe(raw []byte) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: MediaType("", raw), Digest: digest.Digest(DigestOf(raw)), Size: int64(len(raw))}
}

// Image is one image for one platform, without its layers' bytes.
type Image struct {
	// Top is what a name means: an index, or the manifest itself.
	Top ocispec.Descriptor
	// Manifest, Config and Layers are of the platform.
	Manifest, Config ocispec.Descriptor
	Layers           []ocispec.Descriptor
	// DiffIDs are the digests of the layers' unpacked archives, the lowest first.
	DiffIDs  []string
	Platform ocispec.Platform
	// Bare is true of an image that came without a manifest: Top and Manifest are
	// made up, and no registry knows them.
	Bare bool

	small map[digest.Digest][]byte // index, manifest and configuration
}

// ID is what most engines call the image: the digest of its configuration.
func (i Image) ID() string { return i.Config.Digest.String() }

// Small returns the bytes of index, manifest or configuration.
func (i Image) Small(d ocispec.Descriptor) ([]byte, bool) {
	raw, ok := i.small[d.Digest]
	return raw, ok
}

// body is an index or a manifest, before it is known which.
type body struct {
	SchemaVersion int                  `json:"schemaVersion"`
	MediaType     string               `json:"mediaType"`
	Manifests     []ocispec.Descriptor `json:"manifests"`
	Config        *ocispec.Descriptor  `json:"config"`
	Layers        []ocispec.Descriptor `json:"layers"`
}

// Resolve follows a descriptor to the image of a platform, and reads all of it but
// the layers. Errors: Rejected for what is no image, or none for the platform; those
// of blobs else.
func Resolve(ctx context.Context, blobs Blobs, top ocispec.Descriptor, platform ocispec.Platform) (Image, error) {
	out := Image{Top: top, Manifest: top, small: map[digest.Digest][]byte{}}
	found, err := out.body(ctx, blobs, top)
	if err != nil {
		return Image{}, err
	}
	if found.Manifests != nil {
		if out.Manifest, err = pick(ocispec.Index{Manifests: found.Manifests}, platform); err != nil {
			return Image{}, err
		}
		if found, err = out.body(ctx, blobs, out.Manifest); err != nil {
			return Image{}, err
		}
	}
	if found.Config == nil || found.Manifests != nil {
		return Image{}, noImage("its manifest %s is none of an image", out.Manifest.Digest)
	}
	out.Config, out.Layers = *found.Config, found.Layers
	raw, err := Read(ctx, blobs, out.Config, MaxConfig)
	if err != nil {
		return Image{}, fmt.Errorf("read the image's configuration: %w", err)
	}
	out.small[out.Config.Digest] = raw
	return out, out.configure(raw)
}

// body reads a manifest or an index.
func (i *Image) body(ctx context.Context, blobs Blobs, d ocispec.Descriptor) (body, error) {
	raw, err := Read(ctx, blobs, d, MaxManifest)
	if err != nil {
		return body{}, fmt.Errorf("read the manifest: %w", err)
	}
	i.small[d.Digest] = raw
	var out body
	if err := json.Unmarshal(raw, &out); err != nil {
		return body{}, noImage("its manifest %s cannot be read: %w", d.Digest, err)
	}
	if out.SchemaVersion != 2 { //nolint:mnd // the only one that is still in use
		return body{}, fault.Hint(noImage("its manifest has schema version %d, and 2 is wanted", out.SchemaVersion), "push it anew with a present-day tool")
	}
	if out.Manifests != nil && out.Config != nil {
		return body{}, noImage("its manifest %s is an index and a manifest at once", d.Digest)
	}
	if len(out.Layers) > MaxLayers || len(out.Manifests) > MaxLayers {
		return body{}, noImage("it has more than %d layers", MaxLayers)
	}
	for _, l := range append(append([]ocispec.Descriptor{}, out.Layers...), out.Manifests...) {
		if _, ok := Hex(l.Digest.String()); !ok || l.Size < 0 {
			return body{}, noImage("its manifest names a digest that is none: %.80q", l.Digest)
		}
	}
	if out.Config != nil {
		if _, ok := Hex(out.Config.Digest.String()); !ok {
			return body{}, noImage("its manifest names a digest that is none: %.80q", out.Config.Digest)
		}
	}
	return out, nil
}

// configure takes over what the configuration says.
func (i *Image) configure(raw []byte) error {
	var cfg ocispec.Image
	if err := json.Unmarshal(raw, &cfg); err != nil {
		return noImage("its configuration cannot be read: %w", err)
	}
	i.Platform = cfg.Platform
	i.DiffIDs = nil
	for _, d := range cfg.RootFS.DiffIDs {
		i.DiffIDs = append(i.DiffIDs, d.String())
	}
	if len(i.DiffIDs) != len(i.Layers) {
		return noImage("its configuration names %d layers, and its manifest %d", len(i.DiffIDs), len(i.Layers))
	}
	return nil
}

// Plain makes an image of a configuration and its layers, as `docker save` leaves
// them: unpacked where a layer has no digest of its own.
func Plain(config []byte, layers []ocispec.Descriptor) (Image, error) {
	cfg := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageConfig, Digest: digest.Digest(DigestOf(config)), Size: int64(len(config))}
	out := Image{Config: cfg, Bare: true, Layers: layers, small: map[digest.Digest][]byte{cfg.Digest: config}}
	if err := out.configure(config); err != nil {
		return Image{}, err
	}
	for n, id := range out.DiffIDs {
		if _, ok := Hex(id); !ok {
			return Image{}, noImage("its configuration names a digest that is none: %.80q", id)
		}
		if layers[n].Digest == "" {
			layers[n].Digest = digest.Digest(id)
		}
		layers[n].MediaType = ocispec.MediaTypeImageLayer
	}
	m := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, Config: cfg, Layers: out.Layers}
	m.SchemaVersion = 2
	raw, err := json.Marshal(m)
	if err != nil {
		return Image{}, fmt.Errorf("write the manifest of an image: %w", err)
	}
	out.Manifest = ocispec.Descriptor{MediaType: m.MediaType, Digest: digest.Digest(DigestOf(raw)), Size: int64(len(raw)), Platform: &out.Platform}
	out.Top = out.Manifest
	out.small[out.Manifest.Digest] = raw
	return out, nil
}

func noImage(format string, args ...any) error {
	return fault.As(fault.Rejected, fmt.Errorf(format, args...))
}
