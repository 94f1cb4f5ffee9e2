package image

import (
	"context"
	"errors"
	"fmt"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/image/oci"
	"syncd.io/syncd/internal/image/store"
)

// Packed is an image that was gathered.
type Packed struct {
	// Name is what people call it, Digest what that means.
	Name, Digest string
	// Blobs are the digests of all that it is made of.
	Blobs []string
}

// Collector gathers images into OCI layouts.
type Collector struct {
	Finder *Finder
	// Platforms are what images are wanted for, as os/architecture[/variant]; of none,
	// images are gathered for all that they are made for.
	Platforms []string
	// Told hears what is gathered, in one line; nil is nobody.
	Told func(text string)
}

// Collect writes into dir an OCI layout of the named images, without those blobs of
// which has says that they are not needed. What is in dir already is not fetched
// again. Errors: Unreachable, Blocked, and Rejected for an image that nobody has.
func (c Collector) Collect(ctx context.Context, names []string, has func(digest string) bool, dir string) ([]Packed, error) {
	platforms := make([]ocispec.Platform, len(c.Platforms))
	for n, text := range c.Platforms {
		var err error
		if platforms[n], err = oci.ParsePlatform(text); err != nil {
			return nil, err
		}
	}
	to := store.Layout{Dir: dir}
	var out []Packed
	var named []store.Named
	for _, name := range names {
		one, top, err := c.one(ctx, name, platforms, has, to)
		if err != nil {
			return nil, fmt.Errorf("gather image %s: %w", name, err)
		}
		ref, err := oci.ParseRef(name)
		if err != nil {
			return nil, err
		}
		out, named = append(out, one), append(named, store.Named{Name: ref.String(), Top: top})
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, to.Name(named)
}

// one gathers one image from the first place that has all of it.
func (c Collector) one(ctx context.Context, name string, platforms []ocispec.Platform, has func(string) bool, to store.Layout) (Packed, ocispec.Descriptor, error) {
	wanted := Wanted{Name: name}
	if len(c.Platforms) > 0 {
		wanted.Platform = c.Platforms[0]
	}
	var tried []error
	for offer, err := range c.Finder.Offers(ctx, wanted) {
		if err == nil {
			out := Packed{Name: name, Digest: offer.Top().Digest.String()}
			if out.Blobs, err = gather(ctx, offer, platforms, has, to); err == nil {
				c.tell(name, offer)
				return out, offer.Top(), nil
			}
			err = at(offer.From(), err)
		}
		if ctx.Err() != nil {
			return Packed{}, ocispec.Descriptor{}, context.Cause(ctx)
		}
		tried = append(tried, err)
	}
	return Packed{}, ocispec.Descriptor{}, nobody(tried)
}

func (c Collector) tell(name string, offer *Offer) {
	if c.Told != nil {
		c.Told("gathered " + name + " from " + offer.From())
	}
}

// gather puts all that an offer is made of into a layout, as far as it is needed.
func gather(ctx context.Context, offer *Offer, platforms []ocispec.Platform, has func(string) bool, to store.Layout) ([]string, error) {
	var digests []string
	var wanted []ocispec.Descriptor
	from := offer.Blobs()
	err := oci.Walk(ctx, from, offer.Top(), platforms, func(d ocispec.Descriptor) error {
		digests = append(digests, d.Digest.String())
		if (has == nil || !has(d.Digest.String())) && !to.Has(d.Digest.String()) {
			wanted = append(wanted, d)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return digests, oci.Each(ctx, from, wanted, to.Keep)
}

// nobody sums up why an image is not to be had: the trouble that may pass counts most.
func nobody(tried []error) error {
	if len(tried) == 0 {
		return fault.Hint(fault.As(fault.Rejected, errors.New("nobody has it")), "build it on this engine, or push it to its registry")
	}
	class, hint, said := fault.Rejected, "see that the image and tag exist in the registry, or on this engine", make([]string, len(tried))
	for n, err := range tried {
		said[n] = err.Error()
		if is := fault.Of(err); is == fault.Unreachable || is == fault.Blocked && class != fault.Unreachable {
			class, hint = is, fault.Advice(err)
		} else if is == fault.Rejected && class == fault.Rejected && fault.Advice(err) != "" {
			hint = fault.Advice(err)
		}
	}
	return fault.Hint(fault.As(class, errors.New(strings.Join(said, "; "))), hint)
}
