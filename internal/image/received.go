package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"syncd.io/syncd/internal/durable"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/image/archive"
	"syncd.io/syncd/internal/image/oci"
	"syncd.io/syncd/internal/image/store"
)

const (
	// packsFile lists what the last packs were of, the newest first.
	packsFile = "packs.json"
	// keepPacks is of how many packs the images stay: a pack that was made while the
	// one before was on its way builds on what was there then.
	keepPacks = 2
)

// Received keeps the images that packs brought, so that the next pack can leave them
// out, and hands them to who runs them.
type Received struct {
	// Dir is a directory below the state directory.
	Dir string
	// Hand takes one image into an engine, Push into a registry. They may be asked
	// again for what is there. Of neither, images are only kept.
	Hand func(ctx context.Context, name string, offer *Offer) error
	Push func(ctx context.Context, name string, from oci.Blobs, top ocispec.Descriptor) error
	// Platform is what the engine runs on, os/architecture[/variant].
	Platform string
}

// brought is what one pack was of.
type brought struct {
	Images []Packed `json:"images"`
}

// Shelf is where a finder looks for what packs brought.
func (r Received) Shelf() Shelf { return archive.NewKept(r.Dir) }

// Held are the digests of the blobs that are here.
func (r Received) Held(context.Context) ([]string, error) { return store.Layout{Dir: r.Dir}.Held() }

// Load takes the blobs of a layout over, whose content was checked, and hands on the
// images, of which some blobs may have been brought before. Doing it again changes
// nothing. Errors: Rejected where a blob is missing; those of Hand and Push;
// Unreachable for the disk.
func (r Received) Load(ctx context.Context, dir string, images []Packed) error {
	at := store.Layout{Dir: r.Dir}
	if err := at.Adopt(ctx, store.Layout{Dir: dir}); err != nil {
		return fmt.Errorf("keep the images of a pack: %w", err)
	}
	if len(images) == 0 {
		return nil
	}
	for _, i := range images {
		for _, digest := range append([]string{i.Digest}, i.Blobs...) {
			if !at.Has(digest) {
				return fault.Hint(fault.As(fault.Rejected, fmt.Errorf("image %s lacks %s, which neither this pack nor one before has brought", i.Name, digest)),
					"have the pack made with the newest receipt of this host, or with none")
			}
		}
	}
	packs, err := r.note(ctx, at, images)
	if err != nil {
		return err
	}
	for _, i := range images {
		if err := r.hand(ctx, at, i); err != nil {
			return fmt.Errorf("take over image %s: %w", i.Name, r.spoilt(ctx, at, i, err))
		}
	}
	return r.collect(at, packs)
}

// spoilt sees what is wrong with an image whose blobs are not what they were: they
// are removed, so that the next receipt does not count on them.
func (r Received) spoilt(ctx context.Context, at store.Layout, i Packed, err error) error {
	if !errors.Is(err, oci.ErrOther) {
		return err
	}
	bad, failed := at.Discard(ctx, i.Blobs)
	if failed != nil || len(bad) == 0 {
		return errors.Join(err, failed)
	}
	return fault.Hint(fault.As(fault.Rejected, fmt.Errorf("%d of its blobs are spoilt on this host's disk, %s among them: %w", len(bad), bad[0], err)),
		"have the pack made with none of this host's receipts, and see to the disk")
}

// note writes down what a pack was of, and which image has which name now.
func (r Received) note(ctx context.Context, at store.Layout, images []Packed) ([]brought, error) {
	packs, err := r.packs()
	if err != nil {
		return nil, err
	}
	if len(packs) == 0 || !slices.EqualFunc(packs[0].Images, images, same) {
		packs = slices.Insert(packs, 0, brought{images})
	}
	packs = packs[:min(len(packs), keepPacks)]
	var named []store.Named
	for _, p := range packs {
		for _, i := range p.Images {
			ref, err := oci.ParseRef(i.Name)
			if err != nil {
				return nil, err
			}
			if slices.ContainsFunc(named, func(n store.Named) bool { return n.Name == ref.String() }) {
				continue // a newer pack has it
			}
			top, err := r.top(ctx, at, i.Digest)
			if err != nil {
				return nil, err
			}
			named = append(named, store.Named{Name: ref.String(), Top: top})
		}
	}
	if err := at.Name(named); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(packs)
	if err != nil {
		return nil, fmt.Errorf("note what packs brought: %w", err)
	}
	if err := durable.Replace(filepath.Join(r.Dir, packsFile), raw); err != nil {
		return nil, fault.As(fault.Unreachable, fmt.Errorf("note what packs brought: %w", err))
	}
	return packs, nil
}

func same(a, b Packed) bool {
	return a.Name == b.Name && a.Digest == b.Digest && slices.Equal(a.Blobs, b.Blobs)
}

// packs are what the last packs were of. A list that cannot be read is begun anew: it
// only says what may go.
func (r Received) packs() ([]brought, error) {
	raw, err := os.ReadFile(filepath.Join(r.Dir, packsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.As(fault.Unreachable, fmt.Errorf("read what packs brought: %w", err))
	}
	var out []brought
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, nil //nolint:nilerr // see above
	}
	return out, nil
}

// top describes a manifest that is here.
func (r Received) top(ctx context.Context, at store.Layout, digest string) (ocispec.Descriptor, error) {
	raw, err := at.Small(ctx, digest)
	if err != nil {
		return ocispec.Descriptor{}, fmt.Errorf("read manifest %s: %w", digest, err)
	}
	return oci.Describe(raw), nil
}

// hand gives one image on.
func (r Received) hand(ctx context.Context, at store.Layout, i Packed) error {
	if r.Hand == nil && r.Push == nil {
		return nil
	}
	top, err := r.top(ctx, at, i.Digest)
	if err != nil {
		return err
	}
	if r.Push != nil {
		return r.Push(ctx, i.Name, at, top)
	}
	platform, err := oci.ParsePlatform(r.Platform)
	if err != nil {
		return err
	}
	found, err := oci.Resolve(ctx, at, top, platform)
	if err != nil {
		return err
	}
	return r.Hand(ctx, i.Name, &Offer{image: found, blobs: at, from: r.Shelf().String()})
}

// collect removes what no pack that counts was of.
func (r Received) collect(at store.Layout, packs []brought) error {
	keep := map[string]bool{}
	for _, p := range packs {
		for _, i := range p.Images {
			for _, digest := range append([]string{i.Digest}, i.Blobs...) {
				keep[digest] = true
			}
		}
	}
	return at.Collect(keep)
}
