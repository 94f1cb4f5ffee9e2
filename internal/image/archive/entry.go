package archive

import (
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"syncd.io/syncd/internal/image/oci"
)

// entry is one image, or one for several platforms.
type entry struct {
	names []string
	// top is its manifest or index; nil where it was saved without one.
	top *ocispec.Descriptor
	// ids are the digests of its configurations; below, of manifests in its index.
	ids   []string
	below map[string]ocispec.Descriptor
	// saved is how `docker save` lists it.
	saved *saved
}

// saved is an entry of manifest.json.
type saved struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// namesOf are what an image is called in an index.
func namesOf(annotations map[string]string) []string {
	const containerd = "io.containerd.image.name"
	var out []string
	for _, key := range []string{containerd, ocispec.AnnotationRefName} {
		text := annotations[key]
		if !strings.ContainsAny(text, ":/") { // a tag alone names no image
			continue
		}
		if ref, err := oci.ParseRef(text); err == nil && !slices.Contains(out, ref.String()) {
			out = append(out, ref.String())
		}
	}
	return out
}

// means tells whether an entry is what is looked for, and by which manifest. What has
// a digest is never found by a tag, and what had an ID by no other one.
func (e entry) means(ref oci.Ref, id string) (*ocispec.Descriptor, bool) {
	if id != "" && slices.Contains(e.ids, id) {
		return e.top, true
	}
	if ref.Digest == "" {
		return e.top, id == "" && slices.Contains(e.names, ref.String())
	}
	if e.top != nil && e.top.Digest.String() == ref.Digest {
		return e.top, true
	}
	d, ok := e.below[ref.Digest]
	return &d, ok
}
