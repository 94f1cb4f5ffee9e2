package pack

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"syncd.io/syncd/internal/durable"
)

// bundleFile is where a pack's bundle is kept; the names sort by time.
func (in *Inbox) bundleFile(m Manifest) string {
	return filepath.Join(in.Dir, bundlesDir, m.Made.UTC().Format("20060102T150405.000000000Z")+"-"+m.To[:10]+".bundle")
}

// fillGap takes the bundle of a pack that came too late, where the pack that came
// before it does not have all history.
func (in *Inbox) fillGap(ctx context.Context, p *Pack, last Receipt) error {
	if len(last.Since) == 0 {
		return nil
	}
	if err := p.Check(ctx); err != nil {
		return err
	}
	return in.bundle(ctx, p)
}

// bundle puts the pack's bundle where the repository finds it. Bundles that came
// before one with all history are not needed any more.
func (in *Inbox) bundle(ctx context.Context, p *Pack) error {
	if !p.Manifest.has(BundleName) {
		return nil
	}
	place := in.bundleFile(p.Manifest)
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
	// where histories went apart, the newest bundle counts
	if err := os.Chtimes(temp, p.Manifest.Made, p.Manifest.Made); err != nil {
		return disk(err)
	}
	if err := os.Rename(temp, place); err != nil {
		return disk(err)
	}
	if err := durable.SyncDir(filepath.Dir(place)); err != nil {
		return disk(err)
	}
	if len(p.Manifest.Since) > 0 {
		return nil
	}
	return in.dropBefore(place)
}

func (in *Inbox) dropBefore(place string) error {
	all, err := filepath.Glob(filepath.Join(in.Dir, bundlesDir, "*.bundle"))
	if err != nil {
		return err
	}
	for _, file := range all {
		if path.Base(file) < path.Base(place) {
			err = errors.Join(err, os.Remove(file))
		}
	}
	return disk(err)
}
