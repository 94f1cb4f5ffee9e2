package pack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"syncd.io/syncd/internal/durable"
)

// bundleFile is where a pack's bundle is kept.
func (in *Inbox) bundleFile(p *Pack) string {
	return filepath.Join(in.Dir, bundlesDir, p.Manifest.To[:10]+"-"+p.short()+".bundle")
}

// fillGap takes the bundle of a pack that came too late, where the pack that came
// before it does not have all history.
func (in *Inbox) fillGap(ctx context.Context, p *Pack, last Receipt) error {
	if len(last.Since) == 0 || !p.Manifest.has(BundleName) {
		return nil
	}
	_, err := os.Stat(in.bundleFile(p))
	if !errors.Is(err, fs.ErrNotExist) {
		return disk(err)
	}
	if err := p.Check(ctx); err != nil {
		return err
	}
	oldest, _, err := in.span()
	if err != nil {
		return err
	}
	return in.place(ctx, p, oldest.Add(-time.Second))
}

// bundle puts the pack's bundle where the repository finds it. Bundles that came
// before one with all history are not needed any more.
func (in *Inbox) bundle(ctx context.Context, p *Pack) error {
	if !p.Manifest.has(BundleName) {
		return nil
	}
	_, newest, err := in.span()
	if err != nil {
		return err
	}
	when := in.Now()
	if !when.After(newest) { // a clock was ahead, or is late
		when = newest.Add(time.Second)
	}
	if err := in.place(ctx, p, when); err != nil || len(p.Manifest.Since) > 0 {
		return err
	}
	return in.dropOthers(in.bundleFile(p))
}

// place writes the bundle as if at some time: where histories went apart, the newest
// file counts.
func (in *Inbox) place(ctx context.Context, p *Pack, when time.Time) error {
	place := in.bundleFile(p)
	if err := os.MkdirAll(filepath.Dir(place), 0o700); err != nil {
		return disk(err)
	}
	temp := filepath.Join(filepath.Dir(place), "."+filepath.Base(place))
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return disk(err)
	}
	if err := extract(ctx, p, BundleName, temp); err != nil {
		return err
	}
	if err := os.Chtimes(temp, when, when); err != nil {
		return disk(err)
	}
	if err := os.Rename(temp, place); err != nil {
		return disk(err)
	}
	return disk(durable.SyncDir(filepath.Dir(place)))
}

// span is when the oldest and the newest bundle came; now where there is none.
func (in *Inbox) span() (oldest, newest time.Time, err error) {
	all, err := filepath.Glob(filepath.Join(in.Dir, bundlesDir, "*.bundle"))
	if err != nil {
		return oldest, newest, err
	}
	oldest = in.Now()
	for _, file := range all {
		info, err := os.Stat(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return oldest, newest, disk(fmt.Errorf("look at the bundles: %w", err))
		}
		if at := info.ModTime(); at.Before(oldest) {
			oldest = at
		}
		if at := info.ModTime(); at.After(newest) {
			newest = at
		}
	}
	return oldest, newest, nil
}

func (in *Inbox) dropOthers(place string) error {
	all, err := filepath.Glob(filepath.Join(in.Dir, bundlesDir, "*.bundle"))
	if err != nil {
		return err
	}
	for _, file := range all {
		if filepath.Base(file) != filepath.Base(place) {
			err = errors.Join(err, os.Remove(file))
		}
	}
	return disk(err)
}
