package pack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"syncd.io/syncd/internal/fault"
)

// stillThere tells whether what a pack brought that was unpacked last is there.
func (in *Inbox) stillThere(ctx context.Context, p *Pack) bool {
	if missing, err := in.lacks(ctx, p.Manifest, false); err != nil || missing != "" {
		return false
	}
	if !p.Manifest.has(BundleName) {
		return true
	}
	_, err := os.Stat(in.bundleFile(p))
	return err == nil
}

// lacks returns a part of an image that is not here, nor, where that counts, in the
// pack; empty where all are.
func (in *Inbox) lacks(ctx context.Context, m Manifest, packed bool) (string, error) {
	if in.Images == nil || len(m.Images) == 0 {
		return "", nil
	}
	held, err := in.Images.Held(ctx)
	if err != nil {
		return "", fmt.Errorf("list the images' parts: %w", err)
	}
	here := map[string]bool{}
	for _, digest := range held {
		here[digest] = true
	}
	for _, member := range m.Members {
		here["sha256:"+member.SHA256] = here["sha256:"+member.SHA256] || packed
	}
	for _, image := range m.Images {
		for _, digest := range image.Blobs {
			if !here[digest] {
				return image.Name + " " + digest, nil
			}
		}
	}
	return "", nil
}

// ready tells, by its manifest alone, whether a pack that is whole can be taken now.
func (in *Inbox) ready(ctx context.Context, m Manifest) error {
	if len(m.Images) == 0 {
		return nil
	}
	if missing, err := in.lacks(ctx, m, true); err != nil || missing != "" {
		return errors.Join(err, leftOut(missing))
	}
	return in.Images.Ready(ctx)
}

// errAhead is in the chain of an error about a pack that comes before one that it
// builds on, or without it.
var errAhead = errors.New("it leaves out a part of an image that is not here")

// leftOut is the error for a pack that was made for a host that has more.
func leftOut(missing string) error {
	if missing == "" {
		return nil
	}
	err := fault.As(fault.Rejected, fmt.Errorf("%w: %s", errAhead, missing))
	return fault.Hint(err, "have it made with the newest receipt of this host (syncd pack --receipt FILE), or with none")
}

// images hands the pack's layout to who takes images.
func (in *Inbox) images(ctx context.Context, p *Pack) (err error) {
	if len(p.Manifest.Images) == 0 {
		return nil
	}
	dir, err := in.workplace()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for _, m := range p.Manifest.Members {
		if !strings.HasPrefix(m.Name, LayoutName+"/") {
			continue
		}
		if err := extract(ctx, p, m.Name, filepath.Join(dir, filepath.FromSlash(m.Name))); err != nil {
			return err
		}
	}
	return in.Images.Load(ctx, filepath.Join(dir, LayoutName), p.Manifest.Images)
}

// extract writes one member to a new file; the names of members are all known.
func extract(ctx context.Context, p *Pack, name, file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return disk(err)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return disk(err)
	}
	if err := p.Copy(ctx, f, name); err != nil {
		return errors.Join(disk(err), f.Close())
	}
	return disk(errors.Join(f.Sync(), f.Close()))
}
