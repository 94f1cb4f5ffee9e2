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
	s, err := connect(ctx, req.Remote, maxAdvertised)
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
// commit that holds something forbidden or too much. Where the object store turns
// out to be odd, another one is made at its place, at the cost of one fetch.
func Fetch(ctx context.Context, req source.FetchRequest) (answer source.FetchAnswer, err error) {
	addr, err := remote.Parse(req.Remote.URL)
	if err != nil {
		return answer, err
	}
	if addr.Kind == remote.Local {
		store, err := remote.OpenLocal(addr.Path, true)
		if err != nil {
			return answer, err
		}
		return snapshot(ctx, req, objectReader{store: store}, 0)
	}
	s, err := openStore(req.Store)
	if err != nil {
		return answer, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.bound(ctx, req.Limits.Disk); err != nil {
		return answer, full(err)
	}
	if answer, err = s.snapshot(ctx, req); !errors.Is(err, errOdd) && !errors.Is(err, errIncomplete) {
		return answer, err
	}
	if err := s.anew(); err != nil {
		return answer, full(err)
	}
	return s.snapshot(ctx, req)
}

// snapshot brings the commit into the store, and leaves its files.
func (s *store) snapshot(ctx context.Context, req source.FetchRequest) (answer source.FetchAnswer, err error) {
	err = s.take(ctx, req, func() error {
		used, err := s.size()
		if err != nil {
			return err
		}
		answer, err = snapshot(ctx, req, objectReader{store: s.objects, own: true}, used)
		return err
	})
	return answer, err
}

// snapshot judges a commit, and leaves its files; used is how much of the disk
// allowance is gone already, in bytes.
func snapshot(ctx context.Context, req source.FetchRequest, objects objectReader, used int64) (source.FetchAnswer, error) {
	budget := tree.Budget{Limits: req.Limits, Downloaded: used}
	base := openBase(req.Base)
	found, err := walk(ctx, objects, plumbing.NewHash(req.Commit), budget, base)
	if err != nil {
		return source.FetchAnswer{}, err
	}
	answer, err := leave(ctx, objects, found, base, filepath.Join(req.Dir, source.SnapshotName))
	if err != nil {
		return source.FetchAnswer{}, full(err)
	}
	return answer, nil
}

// leave writes the files, then the manifest: a snapshot without one is not done.
func leave(ctx context.Context, objects objectReader, found commit, base *base, dir string) (source.FetchAnswer, error) {
	if err := os.RemoveAll(dir); err != nil { // what an attempt left that found the store odd
		return source.FetchAnswer{}, fmt.Errorf("make the snapshot's directory: %w", err)
	}
	files := filepath.Join(dir, source.FilesName)
	if err := lay(found.entries, base, files); err != nil {
		return source.FetchAnswer{}, err
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

// lay begins the directory of files with those that the base has as well.
func lay(entries []entry, base *base, files string) error {
	made := files
	if base != nil && base.spare {
		made = filepath.Dir(files)
	}
	if err := os.MkdirAll(made, 0o755); err != nil {
		return fmt.Errorf("make the snapshot's directory: %w", err)
	}
	if made != files {
		return base.renew(entries, files)
	}
	return base.share(entries, files)
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
