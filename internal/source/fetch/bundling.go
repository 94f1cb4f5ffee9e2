package fetch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/source/bundle"
	"syncd.io/syncd/internal/source/remote"
)

// deltaWindow is among how many objects a similar one is looked for, as git does.
const deltaWindow = 10

// Bundle writes a commit with its history into a Git bundle, without what others
// lead to. Errors: Rejected where one of those is not in the repository; those of
// Fetch.
func Bundle(ctx context.Context, req source.BundleRequest) (answer source.BundleAnswer, err error) {
	objects, tip, done, err := everything(ctx, req)
	if err != nil {
		return answer, err
	}
	defer func() { err = errors.Join(err, done()) }()
	for _, hash := range append([]string{req.Commit}, req.Since...) {
		if _, err := (objectReader{store: objects}).read(plumbing.CommitObject, plumbing.NewHash(hash), maxCommit); err != nil {
			err := fault.As(fault.Rejected, fmt.Errorf("commit %s is not in the history of %s: %w", hash, req.Want, err))
			return answer, fault.Hint(err, "name a commit that both sides have, or none: the pack has all history then")
		}
	}
	head := bundle.Header{Prerequisites: req.Since, Refs: []bundle.Ref{{Name: req.Ref, Hash: tip}}}
	if req.Head && req.Ref != "HEAD" {
		head.Refs = append(head.Refs, bundle.Ref{Name: "HEAD", Hash: req.Commit})
	}
	names, commits, err := between(ctx, objectReader{store: objects}, tip, req.Since)
	if err != nil {
		return answer, fmt.Errorf("list what belongs into the bundle: %w", err)
	}
	answer.Objects = len(names)
	for _, hash := range commits[:min(len(commits), source.MaxBundled)] {
		answer.Commits = append(answer.Commits, hash.String())
	}
	return answer, full(pour(req.File, head, objects, names))
}

// everything gives a store with the whole history of a commit: the repository itself
// where it is on this machine, else a clone; and the object that the ref names, which
// for an annotated tag is the tag, with its signature.
func everything(ctx context.Context, req source.BundleRequest) (objects *filesystem.Storage, tip string, done func() error, err error) {
	addr, err := remote.Parse(req.Remote.URL)
	if err != nil {
		return nil, "", nil, err
	}
	if addr.Kind == remote.Local {
		objects, err := remote.OpenLocal(addr.Path, true)
		if err != nil {
			return nil, "", nil, err
		}
		return objects, localTip(objects, req), func() error { return nil }, nil
	}
	if tip, err = remoteTip(ctx, req); err != nil {
		return nil, "", nil, err
	}
	s, err := openStore(filepath.Join(req.Dir, "clone"))
	if err != nil {
		return nil, "", nil, err
	}
	if _, err := s.fetch(ctx, req.Remote, req.Want, request{want: plumbing.NewHash(tip)}, req.Limits.Disk); err != nil {
		return nil, "", nil, errors.Join(err, s.Close())
	}
	s.reopen()
	return s.objects, tip, s.Close, nil
}

func ofTag(req source.BundleRequest) bool { return strings.HasPrefix(req.Ref, "refs/tags/") }

// localTip is the object that a tag names here.
func localTip(objects *filesystem.Storage, req source.BundleRequest) string {
	ref, err := objects.Reference(plumbing.ReferenceName(req.Ref))
	if !ofTag(req) || err != nil || ref.Type() != plumbing.HashReference {
		return req.Commit
	}
	return ref.Hash().String()
}

// remoteTip is the object that a tag names there.
func remoteTip(ctx context.Context, req source.BundleRequest) (string, error) {
	if !ofTag(req) {
		return req.Commit, nil
	}
	conn, err := dial(ctx, req.Remote, 0)
	if err != nil {
		return "", err
	}
	defer conn.Close() // the answer is there
	hash, ok := conn.refs.References[req.Ref]
	if !ok || hash.String() != req.Commit && conn.refs.Peeled[req.Ref].String() != req.Commit {
		return req.Commit, nil // it was moved meanwhile
	}
	return hash.String(), nil
}

// pour writes a bundle to a new file.
func pour(file string, head bundle.Header, objects *filesystem.Storage, names []plumbing.Hash) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(f, 64<<10)
	err = bundle.Write(out, head)
	if err == nil {
		_, err = packfile.NewEncoder(out, objects, false).Encode(names, deltaWindow)
	}
	if err := errors.Join(err, out.Flush(), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write the bundle: %w", err)
	}
	return nil
}
