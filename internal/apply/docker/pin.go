package docker

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/image"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// pinned is what a reference was resolved to.
type pinned struct{ id, digest string }

// Pin implements apply.Preparer. What is pinned and here is left alone; what is
// pinned and gone is pulled by its digest, never by its tag.
func (t *Target) Pin(ctx context.Context, objects []resource.Object, pull bool) ([]resource.Object, []string, error) {
	out := slices.Clone(objects)
	resolved := map[string]pinned{}
	var missing []string
	for i, o := range objects {
		if o.Key.Kind != spec.KindContainer {
			continue
		}
		c, err := decode[spec.Container](o)
		if err != nil {
			return nil, nil, err
		}
		key := strings.Join([]string{c.Image, c.Pin, c.Platform, c.PullPolicy}, " ")
		p, known := resolved[key]
		if !known {
			if p, err = t.engine.pin(ctx, c, pull); err != nil {
				return nil, nil, fmt.Errorf("pin image of %s: %w", o.Key, err)
			}
			resolved[key] = p
		}
		if p.id == "" {
			missing = append(missing, c.Image)
			continue
		}
		c.Pin, c.Digest = p.id, cmp.Or(p.digest, c.Digest)
		if out[i].Spec, err = resource.Canonical(c); err != nil {
			return nil, nil, err
		}
	}
	slices.Sort(missing)
	return out, slices.Compact(missing), nil
}

// pin resolves one image; an empty answer is an image that is not here.
func (e *Engine) pin(ctx context.Context, c spec.Container, pull bool) (pinned, error) {
	if c.Pin != "" {
		return e.keepPin(ctx, c, pull)
	}
	in, err := e.inspectNamed(ctx, c.Image)
	here := err == nil && fits(in, c.Platform)
	if err != nil && !cerrdefs.IsNotFound(err) {
		return pinned{}, err
	}
	switch {
	case here && (!pull || !stale(c.PullPolicy, in, time.Now())):
		return pinOf(in, c.Image), nil
	case c.PullPolicy == "never":
		return pinned{}, rejected("load the image on this host, or change pull_policy", "image %s is not here and pull_policy is never", c.Image)
	case !pull:
		return pinned{}, nil
	}
	return e.fetch(ctx, c.Image, c.Image, "", c.Platform)
}

// inspectNamed finds an image by its name, also where only a tag says its digest.
func (e *Engine) inspectNamed(ctx context.Context, ref string) (image.InspectResponse, error) {
	in, err := e.inspectImage(ctx, ref)
	if tag := instead(ref); tag != "" && cerrdefs.IsNotFound(err) {
		return e.inspectImage(ctx, tag)
	}
	return in, err
}

// keepPin sees that the pinned image is here.
func (e *Engine) keepPin(ctx context.Context, c spec.Container, pull bool) (pinned, error) {
	_, err := e.inspectImage(ctx, c.Pin)
	switch {
	case err == nil:
		return pinned{c.Pin, c.Digest}, nil
	case !cerrdefs.IsNotFound(err):
		return pinned{}, err
	case !pull:
		return pinned{}, nil
	case c.Digest == "":
		if again, err := e.regain(ctx, c.Image, c.Pin, c.Platform); again || err != nil {
			return pinned{id: c.Pin}, err
		}
		return pinned{}, rejected("build or load the image again; it has no digest to pull it by",
			"image %s (%s) is not here any more", c.Image, short(c.Pin))
	}
	p, err := e.fetch(ctx, c.Image, c.Digest, c.Pin, c.Platform)
	if err != nil {
		return pinned{}, err
	}
	// another image store gives the same bytes another ID
	return pinned{p.id, c.Digest}, nil
}

// fetch has an image here: name is what a person wrote, ref what is asked for.
func (e *Engine) fetch(ctx context.Context, name, ref, id, platform string) (pinned, error) {
	if err := e.obtain(ctx, ref, id, platform); err != nil {
		return pinned{}, err
	}
	in, err := e.inspectNamed(ctx, ref)
	if err != nil {
		return pinned{}, err
	}
	if !fits(in, platform) {
		return pinned{}, rejected("choose an image for this platform", "image %s is for %s/%s, not %s", name, in.Os, in.Architecture, platform)
	}
	return pinOf(in, name), nil
}

// pinOf returns the image's ID and its digest in the repository that ref names.
func pinOf(in image.InspectResponse, ref string) pinned {
	p := pinned{id: in.ID}
	named, err := reference.ParseDockerRef(ref)
	if err != nil {
		return p
	}
	for _, d := range in.RepoDigests {
		if digested, err := reference.ParseDockerRef(d); err == nil && digested.Name() == named.Name() {
			p.digest = d
		}
	}
	for _, tag := range in.RepoTags {
		p.digest = cmp.Or(p.digest, digestOf(tag, named))
	}
	return p
}

func fits(in image.InspectResponse, platform string) bool {
	p, err := parsePlatform(platform)
	if err != nil || p == nil {
		return true
	}
	return in.Os == p.OS && in.Architecture == p.Architecture && (p.Variant == "" || in.Variant == "" || in.Variant == p.Variant)
}

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// stale tells whether a local image must be asked for again by its policy.
func stale(policy string, in image.InspectResponse, now time.Time) bool {
	var age time.Duration
	switch {
	case policy == "always":
		return true
	case policy == "daily":
		age = day
	case policy == "weekly":
		age = week
	case strings.HasPrefix(policy, "every_"):
		d, err := time.ParseDuration(strings.TrimPrefix(policy, "every_"))
		if err != nil {
			return false
		}
		age = d
	default:
		return false
	}
	return now.Sub(in.Metadata.LastTagTime) > age
}
