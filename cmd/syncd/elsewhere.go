package main

import (
	"context"
	"iter"
	"path/filepath"

	"syncd.io/syncd/internal/apply/docker"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/image"
	"syncd.io/syncd/internal/image/archive"
	"syncd.io/syncd/internal/image/registry"
)

// elsewhere fits a finder of images to what the engine's adapter asks.
type elsewhere struct{ *image.Finder }

// Offers yields what there is of an image.
func (e elsewhere) Offers(ctx context.Context, name, id, platform string) iter.Seq2[docker.Offer, error] {
	return func(yield func(docker.Offer, error) bool) {
		for offer, err := range e.Finder.Offers(ctx, image.Wanted{Name: name, ID: id, Platform: platform}) {
			if !yield(offer, err) {
				return
			}
		}
	}
}

// elsewhereOf is where images of a host come from, besides the registries that its
// engine asks.
func elsewhereOf(host config.Host) (docker.Elsewhere, error) {
	finder, err := finderOf(host)
	if err != nil {
		return nil, err
	}
	return elsewhere{finder}, nil
}

// finderOf finds images where the host's settings say.
func finderOf(host config.Host) (*image.Finder, error) { return image.New(sourcesOf(host)) }

// sourcesOf are the places that images of a host come from, packs first.
func sourcesOf(host config.Host) image.Options {
	shelves := []image.Shelf{image.Received{Dir: filepath.Join(host.State, imagesDir)}.Shelf()}
	if host.Images.Archives != "" {
		shelves = append(shelves, archive.New(host.Images.Archives))
	}
	return image.Options{Registries: host.Registries, Shelves: shelves, Login: loginOf}
}

// loginOf is how `docker login` left somebody known to a registry.
func loginOf(ctx context.Context, host string) (registry.Login, error) {
	l, err := docker.LoginOf(ctx, host)
	return registry.Login{Username: l.Username, Password: l.Password, Identity: l.Identity, Token: l.Token}, err
}
