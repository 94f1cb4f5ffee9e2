package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"syncd.io/syncd/internal/apply/docker"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/image"
	"syncd.io/syncd/internal/image/archive"
	"syncd.io/syncd/internal/image/oci"
)

// imagesDir is where the images of packs are kept, below the state directory.
const imagesDir = "images"

// collectorOf gathers images for packs: from archives, mirrors and registries, and
// from the engine what nobody else has; engine may be nil. scratch is a directory for
// what the engine saves, which the caller removes. Of no platforms, all are gathered.
func collectorOf(host config.Host, engine *docker.Engine, scratch string, platforms []string, told func(string)) (image.Collector, error) {
	opts := sourcesOf(host)
	kept := opts.Shelves[:1] // what a name meant when a pack came is not what it means now
	opts.Shelves, opts.Last, opts.Direct = opts.Shelves[1:], kept, true
	if engine != nil {
		opts.Last = []image.Shelf{saving{engine, scratch, kept[0]}}
	}
	finder, err := image.New(opts)
	return image.Collector{Finder: finder, Platforms: platforms, Told: told}, err
}

// receivedOf keeps the images of packs, and hands them to the engine; where a
// registry is named, to that instead, for the nodes of a cluster to ask.
func receivedOf(ctx context.Context, host config.Host, engine *docker.Engine, into string) (image.Received, error) {
	out := image.Received{Dir: filepath.Join(host.State, imagesDir)}
	if into != "" {
		finder, err := finderOf(host)
		if err != nil {
			return out, err
		}
		out.Push = finder.Pusher(into).Push
		return out, nil
	}
	if engine == nil {
		return out, nil
	}
	var err error
	out.Platform, err = engine.Platform(ctx)
	out.Hand = func(ctx context.Context, name string, offer *image.Offer) error { return engine.Take(ctx, name, offer) }
	return out, err
}

// saving is an engine as a place that has images: those that were built there have
// no other one.
type saving struct {
	engine  *docker.Engine
	scratch string
	// kept has images as packs brought them, with the digests that registries know.
	kept image.Shelf
}

// String names the place.
func (s saving) String() string { return "the engine" }

// Find lets the engine save an image, and reads it from there. What an engine saves
// has not the digest that a registry knows: by that one, nothing is found.
func (s saving) Find(ctx context.Context, ref oci.Ref, id string, platform ocispec.Platform) (found oci.Image, from oci.Blobs, ok bool, err error) {
	if ref.Digest != "" {
		return s.kept.Find(ctx, ref, "", platform)
	}
	in, here, err := s.engine.Image(ctx, ref.String())
	if err != nil || !here {
		return oci.Image{}, nil, false, err
	}
	if found, from, ok, err = s.kept.Find(ctx, ref, in.ID, platform); ok && err == nil {
		return found, from, true, nil
	}
	dir, err := os.MkdirTemp(s.scratch, "save-")
	if err != nil {
		return oci.Image{}, nil, false, fmt.Errorf("make room for an image: %w", err)
	}
	f, err := os.Create(filepath.Join(dir, "image.tar"))
	if err != nil {
		return oci.Image{}, nil, false, fmt.Errorf("make room for an image: %w", err)
	}
	ok, err = s.engine.Save(ctx, ref.String(), f)
	if err := errors.Join(err, f.Close()); err != nil || !ok {
		return oci.Image{}, nil, false, err
	}
	return archive.New(dir).Find(ctx, ref, id, platform)
}
