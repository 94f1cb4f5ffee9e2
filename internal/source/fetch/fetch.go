// Package fetch is the child's half of package source: it talks to Git servers,
// judges a commit before any of it is written, and leaves a snapshot directory.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"syncd.io/syncd/internal/durable"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/source/remote"
	"syncd.io/syncd/internal/source/tree"
)

// maxAdvertised is how long a ref advertisement over SSH or before a fetch may be,
// in bytes.
const maxAdvertised = 64 << 20

// Resolve answers one ref query. Errors are classified as source.Repository says.
func Resolve(ctx context.Context, req source.ResolveRequest) (remote.Found, error) {
	if _, err := remote.Parse(req.Remote.URL); err != nil {
		return remote.Found{}, err
	}
	s, err := connect(req.Remote, maxAdvertised)
	if err != nil {
		return remote.Found{}, remote.Classify(err)
	}
	defer s.Close() // the process ends after this
	refs, err := s.AdvertisedReferencesContext(ctx)
	if err != nil {
		return remote.Found{}, remote.Classify(err)
	}
	return remote.Pick(refs, req.Want)
}

// Fetch writes the snapshot of one commit into req.Dir. Nothing is written of a
// commit that holds something forbidden or too much.
func Fetch(ctx context.Context, req source.FetchRequest) (source.FetchAnswer, error) {
	store, used, err := objects(ctx, req)
	if err != nil {
		return source.FetchAnswer{}, err
	}
	budget := tree.Budget{Limits: req.Limits, Downloaded: used}
	found, err := walk(ctx, objectReader{store: store}, plumbing.NewHash(req.Commit), budget)
	if err != nil {
		return source.FetchAnswer{}, err
	}
	answer, err := leave(ctx, objectReader{store: store}, found, filepath.Join(req.Dir, source.SnapshotName))
	if err != nil {
		return source.FetchAnswer{}, full(err)
	}
	return answer, nil
}

// objects gives the store that holds the commit: the repository itself where it
// is local, else a fresh clone below req.Dir, and how many bytes that takes.
func objects(ctx context.Context, req source.FetchRequest) (*filesystem.Storage, int64, error) {
	addr, err := remote.Parse(req.Remote.URL)
	if err != nil {
		return nil, 0, err
	}
	if addr.Kind == remote.Local {
		store, err := remote.OpenLocal(addr.Path, true)
		return store, 0, err
	}
	store, err := download(ctx, req)
	if err != nil {
		return nil, 0, err
	}
	used, err := sizeOf(req.Dir)
	return store, used, full(err)
}

// sizeOf sums up the files below a directory, in bytes.
func sizeOf(dir string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("measure the clone: %w", err)
	}
	return sum, nil
}

// leave writes the files, then the manifest: a snapshot without one is not done.
func leave(ctx context.Context, objects objectReader, found commit, dir string) (source.FetchAnswer, error) {
	files := filepath.Join(dir, source.FilesName)
	if err := os.MkdirAll(files, 0o755); err != nil {
		return source.FetchAnswer{}, fmt.Errorf("make the snapshot's directory: %w", err)
	}
	if err := write(ctx, objects, found.entries, files); err != nil {
		return source.FetchAnswer{}, err
	}
	s := source.Snapshot{Revision: found.revision, Files: listing(found.entries)}
	digest, err := source.WriteManifest(dir, s)
	if err != nil {
		return source.FetchAnswer{}, err
	}
	return source.FetchAnswer{Manifest: digest}, durable.SyncDir(dir)
}

// full makes a disk's trouble a reason to wait and not to blame the commit; other
// errors stay.
func full(err error) error {
	var file *fs.PathError
	if fault.Of(err) != fault.Unknown || !errors.As(err, &file) {
		return err
	}
	return fault.Hint(fault.As(fault.Unreachable, err), "see whether the disk of the state directory is full: df -h")
}
