package docker

import (
	"strings"

	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/image"
	"github.com/opencontainers/go-digest"
)

// An engine remembers an image's digest only where it has pulled it itself. What was
// loaded gets a tag that says it, NAME:sha256-HEX, so that the image is known by its
// digest as long as the engine has it, whatever becomes of the record.
const digestTag = "sha256-"

// tagsOf are the names that an image gets which is wanted as ref, and whose digest
// is known, or empty.
func tagsOf(ref, known string) []string {
	named, err := reference.ParseDockerRef(ref)
	if err != nil {
		return nil
	}
	var out []string
	if tagged, ok := named.(reference.NamedTagged); ok {
		out = append(out, reference.FamiliarString(tagged))
	}
	if c, ok := named.(reference.Canonical); ok {
		known = c.Digest().String()
	}
	if hex, ok := strings.CutPrefix(known, "sha256:"); ok {
		out = append(out, reference.FamiliarName(named)+":"+digestTag+hex)
	}
	return out
}

// digestOf is the digest in the repository of a name that a tag says; empty where it
// says none.
func digestOf(tag string, named reference.Named) string {
	is, err := reference.ParseDockerRef(tag)
	if err != nil || is.Name() != named.Name() {
		return ""
	}
	tagged, ok := is.(reference.NamedTagged)
	if !ok {
		return ""
	}
	hex, ok := strings.CutPrefix(tagged.Tag(), digestTag)
	said := digest.NewDigestFromEncoded(digest.SHA256, hex)
	if !ok || said.Validate() != nil {
		return ""
	}
	canonical, err := reference.WithDigest(reference.TrimNamed(named), said)
	if err != nil {
		return ""
	}
	return reference.FamiliarString(canonical)
}

// instead is the tag that says the digest of a name; empty where the name has none.
func instead(ref string) string {
	named, err := reference.ParseDockerRef(ref)
	if err != nil {
		return ""
	}
	if _, ok := named.(reference.Canonical); !ok {
		return ""
	}
	return tagsOf(ref, "")[0]
}

// digestTags are those tags of an image that only say its digest.
func digestTags(in image.InspectResponse) []string {
	var out []string
	for _, tag := range in.RepoTags {
		if named, err := reference.ParseDockerRef(tag); err == nil && digestOf(tag, named) != "" {
			out = append(out, tag)
		}
	}
	return out
}
