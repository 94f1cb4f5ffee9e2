package oci

import (
	"fmt"

	"github.com/distribution/reference"

	"syncd.io/syncd/internal/fault"
)

// Ref is what a person calls an image, read as Docker reads it.
type Ref struct {
	// Registry is its host, such as docker.io or registry.lan:5000.
	Registry string
	// Repository is the path there, such as library/nginx.
	Repository string
	// Tag is empty where a digest is given; else it is latest where none is written.
	Tag string
	// Digest is sha256:…, or empty.
	Digest string
}

// ParseRef reads nginx, nginx:1.27, registry.lan:5000/shop/web@sha256:….
// Errors: Rejected.
func ParseRef(text string) (Ref, error) {
	named, err := reference.ParseDockerRef(text)
	if err != nil {
		return Ref{}, fault.Hint(fault.As(fault.Rejected, fmt.Errorf("read image name %.200q: %w", text, err)), "write the image as name:tag")
	}
	ref := Ref{Registry: reference.Domain(named), Repository: reference.Path(named)}
	switch n := named.(type) {
	case reference.Canonical:
		ref.Digest = n.Digest().String()
	case reference.NamedTagged:
		ref.Tag = n.Tag()
	}
	return ref, nil
}

// Name is the image without tag and digest, with its registry.
func (r Ref) Name() string { return r.Registry + "/" + r.Repository }

// String is the whole name: docker.io/library/nginx:1.27.
func (r Ref) String() string {
	if r.Digest != "" {
		return r.Name() + "@" + r.Digest
	}
	return r.Name() + ":" + r.Tag
}

// Which is the tag or the digest: what a registry is asked for.
func (r Ref) Which() string {
	if r.Digest != "" {
		return r.Digest
	}
	return r.Tag
}
