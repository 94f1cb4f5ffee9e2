// Package pull fetches packed Helm charts. It runs in the child: what servers send
// is somebody else's.
package pull

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"syncd.io/syncd/internal/durable"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/chart"
)

const tempPrefix = ".fetch-"

// fetched is what a server gave.
type fetched struct {
	archive []byte
	// manifest is what names the archive in a registry; nil for a chart repository.
	manifest []byte
}

// Fetch puts one chart into the cache, if it is what the request says. Errors are
// those of chart.Store.
func Fetch(ctx context.Context, req chart.Request) (chart.Answer, error) {
	c, err := newClient(req)
	if err != nil {
		return chart.Answer{}, err
	}
	get := c.fromRepository
	if strings.HasPrefix(req.Repo, chart.OCI) {
		get = c.fromRegistry
	}
	got, err := get(ctx, req)
	if err != nil {
		return chart.Answer{}, classify(ctx, err)
	}
	if err := check(req, got); err != nil {
		return chart.Answer{}, err
	}
	return chart.Answer{}, full(leave(req.Dir, got))
}

// check holds what was fetched against the pin, then against the name and the
// version that a person reads there.
func check(req chart.Request, got fetched) error {
	digest := got.digest()
	if req.Digest != "" && digest != req.Digest {
		return fault.Hint(rejected("it has digest %s, and %s is pinned", digest, req.Digest),
			"find out why it has changed before you pin it anew: a version that is out is not meant to change")
	}
	name, version, err := described(got.archive)
	if err != nil {
		return fault.As(fault.Rejected, err)
	}
	if name != req.Name || bare(version) != bare(req.Version) {
		return rejected("what has that digest is chart %.100q of version %.60q", name, version)
	}
	if req.Digest == "" {
		return fault.Hint(rejected("it is not pinned: kubernetes.helm.chart.digest is missing"), "when you have looked at it, pin what is there now: digest: "+digest)
	}
	return nil
}

func (f fetched) digest() string {
	if f.manifest != nil {
		return chart.Digest(f.manifest)
	}
	return chart.Digest(f.archive)
}

func bare(version string) string { return strings.TrimPrefix(version, "v") }

// leave writes the archive, then the manifest that names it.
func leave(dir string, got fetched) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the cache of charts: %w", err)
	}
	if err := put(chart.ArchivePath(dir, chart.Digest(got.archive)), got.archive); err != nil {
		return err
	}
	if got.manifest == nil {
		return nil
	}
	return put(chart.ManifestPath(dir, chart.Digest(got.manifest)), got.manifest)
}

// put has a file on disk under its name, whole. Others may put the same one at the
// same time: each writes in a directory of its own.
func put(path string, content []byte) (err error) {
	dir := filepath.Dir(path)
	temp, err := os.MkdirTemp(dir, tempPrefix)
	if err != nil {
		return fmt.Errorf("write the chart: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	fresh := filepath.Join(temp, filepath.Base(path))
	if err := durable.Replace(fresh, content); err != nil {
		return fmt.Errorf("write the chart: %w", err)
	}
	if err := os.Rename(fresh, path); err != nil {
		return fmt.Errorf("write the chart: %w", err)
	}
	return durable.SyncDir(dir)
}

// full makes a disk's trouble a reason to wait and not to blame the chart.
func full(err error) error {
	var file *fs.PathError
	if !errors.As(err, &file) {
		return err
	}
	return fault.Hint(fault.As(fault.Unreachable, err), "see whether the disk of the state directory is full: df -h")
}

func rejected(format string, args ...any) error {
	return fault.As(fault.Rejected, fmt.Errorf(format, args...))
}
