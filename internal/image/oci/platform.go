package oci

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"syncd.io/syncd/internal/fault"
)

// ErrPlatform is said of an image that has nothing for a platform.
var ErrPlatform = errors.New("it is not made for")

// ParsePlatform reads os/architecture[/variant]; an empty one is Linux on this
// machine's architecture. Errors: Rejected.
func ParsePlatform(text string) (ocispec.Platform, error) {
	if text == "" {
		return ocispec.Platform{OS: "linux", Architecture: runtime.GOARCH}, nil
	}
	parts := strings.Split(text, "/")
	const most = 3
	if len(parts) > most || slices.Contains(parts, "") {
		return ocispec.Platform{}, fault.Hint(fault.As(fault.Rejected, fmt.Errorf("platform %.60q is not valid", text)), "write it as os/architecture[/variant]")
	}
	p := ocispec.Platform{OS: parts[0], Architecture: runtime.GOARCH}
	if len(parts) > 1 {
		p.Architecture = parts[1]
	}
	if len(parts) == most {
		p.Variant = parts[2]
	}
	return p, nil
}

// platformText writes a platform as ParsePlatform reads it.
func platformText(p ocispec.Platform) string {
	out := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		out += "/" + p.Variant
	}
	return out
}

// pick returns the manifest of an index that is for a platform: the one of its
// variant, else one without a variant, else of ARM the newest variant that is not
// newer. Errors: Rejected, with what there is.
func pick(index ocispec.Index, want ocispec.Platform) (ocispec.Descriptor, error) {
	var best *ocispec.Descriptor
	var there []string
	for i, d := range index.Manifests {
		if d.Platform == nil || d.Platform.OS == "unknown" {
			continue // not an image: an attestation
		}
		there = append(there, platformText(*d.Platform))
		if d.Platform.OS != want.OS || d.Platform.Architecture != want.Architecture || rank(*d.Platform, want) < 0 {
			continue
		}
		if best == nil || rank(*d.Platform, want) > rank(*best.Platform, want) {
			best = &index.Manifests[i]
		}
	}
	if best != nil {
		return *best, nil
	}
	const most = 12
	if len(there) > most {
		there = append(there[:most], "…")
	}
	return ocispec.Descriptor{}, fault.Hint(
		fault.As(fault.Rejected, fmt.Errorf("%w %s, only for: %s", ErrPlatform, platformText(want), strings.Join(there, ", "))),
		"choose an image for this platform")
}

// rank says how well a platform's variant serves; below 0 it does not.
func rank(is, want ocispec.Platform) int {
	const exact, plain = 100, 50
	switch {
	case is.Variant == want.Variant:
		return exact
	case is.Variant == "":
		return plain
	case want.Variant == "" && want.Architecture != "arm": // arm64/v8 and amd64/v1 are what everyone has
		return plain - 1
	case want.Architecture == "arm" && (want.Variant == "" || is.Variant < want.Variant):
		return int(is.Variant[len(is.Variant)-1] - '0')
	}
	return -1
}
