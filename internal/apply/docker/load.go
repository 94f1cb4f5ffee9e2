package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"

	"syncd.io/syncd/internal/fault"
)

// load hands an offered image to the engine as it comes, without the layers that the
// engine has. Where one of those has just gone, all of them are sent.
func (e *Engine) load(ctx context.Context, ref string, offer Offer) error {
	limited, cancel := context.WithTimeout(ctx, pullLimit)
	defer cancel()
	skip, err := e.shared(limited, offer.Layers())
	if err != nil {
		return err
	}
	err = e.send(limited, ref, offer, skip)
	if said := (*refused)(nil); skip > 0 && errors.As(err, &said) {
		err = e.send(limited, ref, offer, 0)
	}
	return err
}

// refused is what the engine says of an archive.
type refused struct{ err error }

// Error is the engine's words.
func (r *refused) Error() string { return r.err.Error() }

// Unwrap is what it means.
func (r *refused) Unwrap() error { return r.err }

func (e *Engine) send(ctx context.Context, ref string, offer Offer, skip int) error {
	reader, writer := io.Pipe()
	saved := make(chan error, 1)
	go func() {
		err := offer.Save(ctx, writer, skip, func(layer string, done, total int64) {
			if e.opts.Progress != nil {
				e.opts.Progress(Progress{Image: ref, Layer: layer, Status: "Downloading", Current: done, Total: total})
			}
		})
		writer.CloseWithError(err)
		saved <- err
	}()
	loaded := e.receive(ctx, reader)
	reader.CloseWithError(errClosed)
	if err := <-saved; err != nil && !errors.Is(err, errClosed) {
		return err
	}
	if loaded == nil || ctx.Err() != nil {
		return loaded
	}
	return &refused{e.loadError(ctx, ref, loaded)}
}

// loadError tells what the engine never takes from what it may take tomorrow.
func (e *Engine) loadError(ctx context.Context, ref string, err error) error {
	if strings.Contains(err.Error(), diskFull) { // whatever else it says
		return e.classify(ctx, "load image "+ref, err)
	}
	for _, text := range []string{"invalid diffID", "invalid manifest", "Error processing tar file", "cannot load"} {
		if strings.Contains(err.Error(), text) {
			return rejected("the image is broken, or made for another system; layers that zstd packed are known to engines since 23.0: older ones want it pushed with gzip", "load image %s: %w", ref, err)
		}
	}
	if fault.Of(err) == fault.Unreachable {
		return fault.Hint(fmt.Errorf("load image %s: %w", ref, err), "see the engine's log: `journalctl -u docker`; syncd tries again by itself")
	}
	return e.classify(ctx, "load image "+ref, err)
}

// errClosed is what a writer hears whose reader has gone.
var errClosed = errors.New("the engine reads no more")

func (e *Engine) receive(ctx context.Context, archive io.Reader) error {
	answer, err := e.api.ImageLoad(ctx, archive, client.ImageLoadWithQuiet(true))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	lines := json.NewDecoder(answer.Body)
	for {
		var line event
		if err := lines.Decode(&line); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read the engine's answer: %w", err)
		}
		if line.Error != "" {
			return fault.As(fault.Unreachable, errors.New(line.Error))
		}
	}
}

// shared is how many of the lowest layers the engine has from images that are here.
// An engine with containerd's image store wants all of them.
func (e *Engine) shared(ctx context.Context, layers []string) (int, error) {
	info, err := e.engineInfo(ctx)
	if err != nil {
		return 0, err
	}
	if slices.ContainsFunc(info.DriverStatus, func(pair [2]string) bool { return pair[0] == "driver-type" }) {
		return 0, nil
	}
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	list, err := e.api.ImageList(limited, image.ListOptions{})
	if err != nil {
		return 0, e.classify(ctx, "list images", err)
	}
	most := 0
	for _, in := range list[:min(len(list), maxImageFacts)] {
		there, err := e.inspectImage(ctx, in.ID)
		if err != nil { // it has just gone
			continue
		}
		most = max(most, common(there.RootFS.Layers, layers))
	}
	return most, nil
}

// common is how many first elements two lists share.
func common(a, b []string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}
