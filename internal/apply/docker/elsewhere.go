package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/image"

	"syncd.io/syncd/internal/fault"
)

// Elsewhere has images that the engine does not pull itself: from mirrors, from
// archives on the host's disk.
type Elsewhere interface {
	// Offers yields in order what there is for a name, with a digest or without, or
	// for an image's ID (which may be empty); and why a place has nothing. An offer
	// is good until the next one is asked for. Errors: Unreachable, Blocked, Rejected;
	// without a class, the place has no such image.
	Offers(ctx context.Context, name, id, platform string) iter.Seq2[Offer, error]
	// Alone tells whether the image's own registry is not to be asked by the engine.
	Alone(name string) bool
}

// Offer is an image that somebody else has.
type Offer interface {
	// Digest is that of the name's manifest; empty where no registry knows it.
	Digest() string
	// IDs are what an engine may call the image; its own configuration's digest first.
	IDs() []string
	// Layers are the digests of the unpacked layers, the lowest first.
	Layers() []string
	// Save writes what ImageLoad reads, without a name, and without the lowest layers,
	// of which there are skip.
	Save(ctx context.Context, w io.Writer, skip int, told func(layer string, done, total int64)) error
}

// obtain has an image here that is not: from elsewhere where it can be, else by the
// engine's own pull. id is what it was called before, platform may be empty.
func (e *Engine) obtain(ctx context.Context, ref, id, platform string) error {
	if e.opts.Elsewhere == nil {
		return e.pull(ctx, ref, platform)
	}
	own, err := e.platform(ctx, platform)
	if err != nil {
		return err
	}
	var tried []error
	for offer, err := range e.opts.Elsewhere.Offers(ctx, ref, id, own) {
		if err == nil {
			err = e.take(ctx, ref, offer)
		}
		if err == nil || ctx.Err() != nil {
			e.mention(err, tried)
			return err
		}
		tried = append(tried, err)
	}
	if e.opts.Elsewhere.Alone(ref) {
		return e.nowhere(ref, tried)
	}
	err = e.pull(ctx, ref, platform)
	if err == nil || ctx.Err() != nil || len(tried) == 0 {
		e.mention(err, tried)
		return err
	}
	return e.nowhere(ref, append(tried, err))
}

// mention lets be heard what went wrong before an image was found after all. That a
// mirror does not have it is nothing wrong.
func (e *Engine) mention(err error, tried []error) {
	for _, t := range tried {
		if err == nil && e.opts.Ignored != nil && fault.Of(t) != fault.Unknown {
			e.opts.Ignored(fmt.Errorf("image from elsewhere: %w", t))
		}
	}
}

// nowhere sums up why an image is not to be had. One place that may have it
// tomorrow is a reason to wait; one that only lacks a login, to ask for that.
func (e *Engine) nowhere(ref string, tried []error) error {
	if len(tried) == 0 {
		tried = []error{errors.New("no place is left to ask: registries.mirrors names no endpoint for it")}
	}
	worst, said := tried[len(tried)-1], make([]string, len(tried))
	for i, err := range tried {
		said[i] = err.Error()
		if severity(err) > severity(worst) {
			worst = err
		}
	}
	err := fmt.Errorf("pull image %s: %s", ref, strings.Join(said, "; "))
	class, hint := fault.Of(worst), fault.Advice(worst)
	if class == fault.Unknown {
		class, err = e.absent(ref, err)
		hint = "see that the image and tag exist in the registry or a mirror of it"
	}
	return fault.Hint(fault.As(class, err), hint)
}

func severity(err error) int {
	switch fault.Of(err) {
	case fault.Unreachable:
		return 3
	case fault.Blocked:
		return 2
	case fault.Rejected:
		return 1
	default:
		return 0
	}
}

// platform is what an image has to be made for: what its service says, else what
// the engine runs on.
func (e *Engine) platform(ctx context.Context, wanted string) (string, error) {
	if wanted != "" {
		return wanted, nil
	}
	info, err := e.engineInfo(ctx)
	if err != nil {
		return "", err
	}
	m, known := machines()[info.Architecture]
	if !known {
		return "", nil
	}
	out := info.OSType + "/" + m.image
	if info.Architecture == "armv7l" {
		out += "/v7"
	}
	return out, nil
}

// take has an offered image here, under the name that is wanted and no other.
func (e *Engine) take(ctx context.Context, ref string, offer Offer) error {
	in, err := e.byID(ctx, offer)
	if cerrdefs.IsNotFound(err) {
		if err = e.load(ctx, ref, offer); err == nil {
			in, err = e.byID(ctx, offer)
		}
	}
	if err != nil {
		return err
	}
	for _, name := range tagsOf(ref, offer.Digest()) {
		limited, cancel := context.WithTimeout(ctx, writeLimit)
		err := e.api.ImageTag(limited, in.ID, name)
		cancel()
		if err != nil {
			return e.classify(ctx, "name image "+name, err)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.absences, ref)
	return nil
}

// regain has the image with this ID here again, of which nothing else is known; false
// where nobody has it.
func (e *Engine) regain(ctx context.Context, name, id, platform string) (bool, error) {
	if e.opts.Elsewhere == nil {
		return false, nil
	}
	own, err := e.platform(ctx, platform)
	if err != nil {
		return false, err
	}
	for offer, err := range e.opts.Elsewhere.Offers(ctx, name, id, own) {
		if err == nil && slices.Contains(offer.IDs(), id) && e.take(ctx, "", offer) == nil {
			return true, nil
		}
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
	}
	return false, nil
}

// byID finds the image by what the engine may call it.
func (e *Engine) byID(ctx context.Context, offer Offer) (in image.InspectResponse, err error) {
	for _, id := range offer.IDs() {
		if in, err = e.inspectImage(ctx, id); !cerrdefs.IsNotFound(err) {
			return in, err
		}
	}
	return in, err
}
