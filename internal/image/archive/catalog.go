package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"syncd.io/syncd/internal/image/oci"
)

const (
	dockerFile = "manifest.json"
	// maxImages bounds how many images one archive may have.
	maxImages = 1000
)

// catalog is what images an archive has.
type catalog struct {
	in     contents
	images []entry
}

// read looks through an archive. Errors: of one that is neither kind.
func read(in contents) (catalog, error) {
	out := catalog{in: in}
	if err := out.layout(); err != nil {
		return out, err
	}
	if err := out.docker(); err != nil {
		return out, err
	}
	if out.images == nil {
		return out, errors.New("it has no images: neither index.json nor manifest.json names any")
	}
	if len(out.images) > maxImages {
		return out, fmt.Errorf("it has more than %d images", maxImages)
	}
	return out, nil
}

// layout reads index.json, where there is one.
func (c *catalog) layout() error {
	var index ocispec.Index
	if found, err := decode(c.in, ocispec.ImageIndexFile, &index); err != nil || !found {
		return err
	}
	for _, d := range index.Manifests[:min(len(index.Manifests), maxImages+1)] {
		e := entry{names: namesOf(d.Annotations), top: &d, below: map[string]ocispec.Descriptor{}}
		if err := c.descend(&e, d, true); err != nil {
			return err
		}
		c.images = append(c.images, e)
	}
	return nil
}

// descend notes the digests below a manifest or an index. What an index names and
// the archive does not have was left out on purpose.
func (c *catalog) descend(e *entry, d ocispec.Descriptor, deeper bool) error {
	raw, err := oci.Read(context.Background(), blobs{in: c.in}, d, oci.MaxManifest) //nolint:forbidigo // it reads a local file
	if errors.Is(err, oci.ErrAbsent) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read manifest %.80s: %w", d.Digest, err)
	}
	var m struct {
		Config    *ocispec.Descriptor  `json:"config"`
		Manifests []ocispec.Descriptor `json:"manifests"`
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return fmt.Errorf("read manifest %.80s: %w", d.Digest, err)
	}
	if m.Config != nil {
		e.ids = append(e.ids, m.Config.Digest.String())
	}
	if !deeper {
		return nil
	}
	for _, child := range m.Manifests[:min(len(m.Manifests), maxImages)] {
		e.below[child.Digest.String()] = child
		if err := c.descend(e, child, false); err != nil {
			return err
		}
	}
	return nil
}

// docker reads manifest.json, where there is one.
func (c *catalog) docker() error {
	var list []saved
	if found, err := decode(c.in, dockerFile, &list); err != nil || !found {
		return err
	}
	for _, s := range list[:min(len(list), maxImages+1)] {
		e := entry{saved: &s}
		for _, tag := range s.RepoTags {
			if ref, err := oci.ParseRef(tag); err == nil {
				e.names = append(e.names, ref.String())
			}
		}
		if hex, ok := oci.Hex("sha256:" + strings.TrimPrefix(strings.TrimSuffix(path.Base(s.Config), ".json"), "sha256:")); ok {
			e.ids = []string{"sha256:" + hex}
		}
		c.images = append(c.images, e)
	}
	return nil
}

// decode reads a small file of JSON; false where there is none.
func decode(in contents, name string, into any) (bool, error) {
	raw, err := small(in, name, oci.MaxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read %s: %w", name, err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return false, fmt.Errorf("read %s: %w", name, err)
	}
	return true, nil
}

func small(in contents, name string, limit int64) ([]byte, error) {
	r, size, err := in.open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if size > limit {
		return nil, fmt.Errorf("it has %d bytes, more than %d", size, limit)
	}
	return io.ReadAll(io.LimitReader(r, limit))
}

// find returns the image that has an ID, or that a name means.
func (c catalog) find(ctx context.Context, ref oci.Ref, id string, platform ocispec.Platform) (oci.Image, oci.Blobs, bool, error) {
	var failed error
	for _, e := range c.images {
		top, ok := e.means(ref, id)
		if !ok {
			continue
		}
		found, from, err := c.image(ctx, e, top, platform)
		if err == nil && id != "" && ref.Digest == "" && found.ID() != id {
			continue // another platform's
		}
		if err == nil {
			return found, from, true, nil
		}
		failed = err
	}
	if errors.Is(failed, oci.ErrPlatform) { // not for this platform: somebody else may have one that is
		failed = nil
	}
	return oci.Image{}, nil, false, failed
}

// image reads an entry's manifest and configuration.
func (c catalog) image(ctx context.Context, e entry, top *ocispec.Descriptor, platform ocispec.Platform) (oci.Image, oci.Blobs, error) {
	if e.saved == nil {
		from := blobs{in: c.in}
		found, err := oci.Resolve(ctx, from, *top, platform)
		return found, from, err
	}
	config, err := small(c.in, e.saved.Config, oci.MaxConfig)
	if err != nil {
		return oci.Image{}, nil, fmt.Errorf("read the image's configuration: %w", err)
	}
	from, layers := blobs{in: c.in, at: map[digest.Digest]string{}}, []ocispec.Descriptor(nil)
	for _, name := range e.saved.Layers[:min(len(e.saved.Layers), oci.MaxLayers)] {
		size, err := c.in.stat(name)
		if err != nil {
			return oci.Image{}, nil, fmt.Errorf("read a layer: %w", err)
		}
		layers = append(layers, ocispec.Descriptor{Digest: digestIn(name), Size: size})
	}
	found, err := oci.Plain(config, layers)
	for n, layer := range found.Layers {
		from.at[layer.Digest] = e.saved.Layers[n]
	}
	if err == nil && len(e.ids) == 1 && found.ID() != e.ids[0] {
		err = fmt.Errorf("%w: the configuration %s has %s", oci.ErrOther, e.saved.Config, found.ID())
	}
	return found, from, err
}

// digestIn is the digest that a layer's path says, as some tools write it that save
// layers packed; empty where it says none.
func digestIn(name string) digest.Digest {
	base, zipped := strings.CutSuffix(path.Base(name), ".tar.gz")
	if hex, ok := oci.Hex("sha256:" + base); ok && (zipped || strings.HasPrefix(name, "blobs/sha256/")) {
		return digest.NewDigestFromEncoded(digest.SHA256, hex)
	}
	return ""
}
