// Package image finds images in the places that a host has besides their own
// registry: archives on its disk, mirrors. What it finds has the digest that was
// asked for, wherever it comes from.
package image

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/image/oci"
	"syncd.io/syncd/internal/image/registry"
)

// Shelf is a place on this host that has images.
type Shelf interface {
	// Find returns the image of a name, or that with this ID (which may be empty), for
	// a platform; found is false where it has none. Errors: of what was found.
	Find(ctx context.Context, ref oci.Ref, id string, platform ocispec.Platform) (image oci.Image, blobs oci.Blobs, found bool, err error)
	// String names the place in messages.
	String() string
}

// Options are the places.
type Options struct {
	Registries config.Registries
	// Shelves are looked into first, in order; Last are once nobody else has it.
	Shelves, Last []Shelf
	// Direct asks registries themselves, too, where that is not forbidden.
	Direct bool
	// Login is how to log in to a host that the registries' settings give no login
	// for; nil is not at all.
	Login func(ctx context.Context, host string) (registry.Login, error)
}

// Finder finds images. It is safe for concurrent use.
type Finder struct {
	opts    Options
	mirrors []mirrored
}

// New prepares to look. Errors: Blocked, for settings that cannot be used.
func New(opts Options) (*Finder, error) {
	mirrors, err := mirrorsOf(opts.Registries)
	if err != nil {
		return nil, err
	}
	return &Finder{opts: opts, mirrors: mirrors}, nil
}

// Wanted is an image that somebody needs.
type Wanted struct {
	// Name is as a person writes it, or with the digest that it was resolved to.
	Name string
	// ID is the digest of its configuration, where that is known: what has it is the
	// image under any name.
	ID string
	// Platform is os/architecture[/variant]; empty is Linux on this machine.
	Platform string
}

// Offer is an image that a place has.
type Offer struct {
	image oci.Image
	blobs oci.Blobs
	from  string
}

// From names the place.
func (o *Offer) From() string { return o.from }

// Digest is what the name means there; empty where no registry knows it.
func (o *Offer) Digest() string {
	if o.image.Bare {
		return ""
	}
	return o.image.Top.Digest.String()
}

// IDs are what an engine may call the image, the usual one first.
func (o *Offer) IDs() []string {
	return []string{o.image.ID(), o.image.Top.Digest.String(), o.image.Manifest.Digest.String()}
}

// Top is what the name means there, Blobs what it is made of.
func (o *Offer) Top() ocispec.Descriptor { return o.image.Top }

// Blobs has all of it.
func (o *Offer) Blobs() oci.Blobs { return o.image.With(o.blobs) }

// Layers are the digests of the unpacked layers, the lowest first.
func (o *Offer) Layers() []string { return o.image.DiffIDs }

// Save writes an archive that engines load, without the lowest layers, of which
// there are skip, and tells how it goes. Errors: those of the place; then the
// archive ends in its middle.
func (o *Offer) Save(ctx context.Context, w io.Writer, skip int, told func(layer string, done, total int64)) error {
	if err := o.image.Save(ctx, w, o.blobs, oci.Saving{Skip: skip, Told: told}); err != nil {
		return at(o.from, err)
	}
	return nil
}

// Offers yields what the places have for a name, one after the other, each asked
// once the one before was no use: an offer, or why there is none. What a shelf does
// not have is not told. Errors: Unreachable, Blocked, Rejected, and of no class where
// a mirror has no such image (oci.ErrAbsent).
func (f *Finder) Offers(ctx context.Context, w Wanted) iter.Seq2[*Offer, error] {
	return func(yield func(*Offer, error) bool) {
		ref, err := oci.ParseRef(w.Name)
		if err != nil {
			yield(nil, err)
			return
		}
		platform, err := oci.ParsePlatform(w.Platform)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, shelf := range f.opts.Shelves {
			if !look(ctx, shelf, ref, w.ID, platform, yield) {
				return
			}
		}
		for _, source := range f.sources(ref) {
			if !f.ask(ctx, source, ref, platform, yield) {
				return
			}
		}
		for _, shelf := range f.opts.Last {
			if !look(ctx, shelf, ref, w.ID, platform, yield) {
				return
			}
		}
	}
}

// look yields what a shelf has, and returns whether to go on.
func look(ctx context.Context, s Shelf, ref oci.Ref, id string, platform ocispec.Platform, yield func(*Offer, error) bool) bool {
	found, blobs, ok, err := s.Find(ctx, ref, id, platform)
	switch {
	case err != nil:
		return yield(nil, at(s.String(), err))
	case ok:
		return yield(&Offer{image: found, blobs: blobs, from: s.String()}, nil)
	}
	return true
}

// ask yields what one mirror has, and returns whether to go on.
func (f *Finder) ask(ctx context.Context, s source, ref oci.Ref, platform ocispec.Platform, yield func(*Offer, error) bool) bool {
	repo, err := registry.Dial(ctx, s.place, s.repository, false)
	if err != nil {
		return yield(nil, at(s.name, err))
	}
	defer repo.Close()
	found, err := repo.Resolve(ctx, ref.Which(), platform)
	if err != nil {
		return yield(nil, at(s.name, err))
	}
	return yield(&Offer{image: found, blobs: repo, from: s.name}, nil)
}

// at says where an error comes from. Bytes that are not what they should be are
// nobody's revision's fault.
func at(where string, err error) error {
	said := fmt.Errorf("%s: %w", where, err)
	if errors.Is(err, oci.ErrOther) && fault.Of(err) == fault.Unknown {
		return fault.Hint(fault.As(fault.Unreachable, said), cmp.Or(fault.Advice(err), "it may be broken, or changed by somebody; what it has is not used"))
	}
	return said
}
