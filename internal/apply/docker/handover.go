package docker

import (
	"context"
	"fmt"
	"io"

	cerrdefs "github.com/containerd/errdefs"
)

// Take has an offered image here under a name, which it is given anew where it meant
// another one. Errors: Unreachable; those of the offer.
func (e *Engine) Take(ctx context.Context, name string, offer Offer) error {
	return e.take(ctx, name, offer)
}

// Platform is what the engine runs on, as os/architecture[/variant]; empty where
// that has no name known here.
func (e *Engine) Platform(ctx context.Context) (string, error) { return e.platform(ctx, "") }

// Save writes what `docker save` does of one image; false where the engine does not
// have it. Errors: Unreachable; those of w.
func (e *Engine) Save(ctx context.Context, ref string, w io.Writer) (found bool, err error) {
	if _, err := e.inspectImage(ctx, ref); cerrdefs.IsNotFound(err) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	limited, cancel := context.WithTimeout(ctx, pullLimit)
	defer cancel()
	stream, err := e.api.ImageSave(limited, []string{ref})
	if err != nil {
		return false, e.classify(ctx, "save image "+ref, err)
	}
	defer stream.Close()
	if _, err := io.Copy(w, stream); err != nil {
		return false, fmt.Errorf("save image %s: %w", ref, err)
	}
	return true, nil
}
