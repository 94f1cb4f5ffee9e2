package image

import (
	"context"
	"fmt"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/image/oci"
	"syncd.io/syncd/internal/image/registry"
)

// Pusher gives images to one registry, each under its own repository and tag: what
// a cluster's nodes ask there as a mirror.
type Pusher struct {
	finder  *Finder
	address string
	// pushed are the digests by repository and tag.
	pushed map[string]pushed
}

// pushed is an image that has a repository and a tag there.
type pushed struct{ name, digest string }

// Pusher returns one for HOST[:PORT], https:// where nothing else is said, with the
// login and the certificates that the registries' settings have for it. To http:// it
// sends no login.
func (f *Finder) Pusher(address string) *Pusher {
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	return &Pusher{finder: f, address: address, pushed: map[string]pushed{}}
}

// Push gives one image. Errors: those of the registry and of from; Rejected where
// another image has taken its place there, which is from another registry.
func (p *Pusher) Push(ctx context.Context, name string, from oci.Blobs, top ocispec.Descriptor) error {
	ref, err := oci.ParseRef(name)
	if err != nil {
		return err
	}
	place := p.finder.place(p.address, "")
	if strings.HasPrefix(p.address, "http://") {
		place.Login = nil // nothing secret goes over the network in the clear
	}
	to := ref.Repository + ":" + ref.Tag
	if there, ok := p.pushed[to]; ok && ref.Tag != "" && there.digest != top.Digest.String() {
		return fault.Hint(fault.As(fault.Rejected, fmt.Errorf("%s and %s have one place in registry %s, %s", there.name, name, place.Host(), to)),
			"name one of them by its digest, or with another tag")
	}
	p.pushed[to] = pushed{name, top.Digest.String()}
	repo, err := registry.Dial(ctx, place, ref.Repository, true)
	if err != nil {
		return at("registry "+place.Host(), err)
	}
	defer repo.Close()
	if err := repo.Push(ctx, from, top, ref.Tag); err != nil {
		return at("registry "+place.Host(), err)
	}
	return nil
}
