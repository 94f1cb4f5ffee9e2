package fetch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/source/bundle"
)

// Import takes bundles into their repository: each once all that it builds on is
// there, whole and checked. An error is about the machine; what is wrong with a
// bundle stands in its state, and what is wrong with the repository in the answer.
func Import(ctx context.Context, req source.ImportRequest) (source.ImportAnswer, error) {
	answer, err := importAll(ctx, req)
	var damage *damagedHold
	switch {
	case err == nil:
		return answer, nil
	case ctx.Err() == nil && errors.As(err, &damage):
		return source.ImportAnswer{Damaged: resource.Harmless(err.Error(), maxReason)}, nil
	}
	return source.ImportAnswer{}, full(err)
}

func importAll(ctx context.Context, req source.ImportRequest) (answer source.ImportAnswer, err error) {
	hold, err := openHold(req.Store, req.Keep)
	if err != nil {
		return answer, err
	}
	all := make([]*arrival, len(req.Files))
	for i, path := range req.Files {
		if refs, ok := req.Taken[path]; ok {
			all[i] = &arrival{state: source.BundleState{File: path, State: source.BundleOlder}, header: bundle.Header{Refs: refs}}
			continue
		}
		all[i] = open(path, req.Limits.Disk)
		defer all[i].close()
	}
	for progress := true; progress; {
		if progress, err = hold.round(ctx, all); err != nil {
			return answer, err
		}
	}
	if answer.Refs, err = hold.settle(ctx, all); err != nil {
		return answer, err
	}
	for _, a := range all {
		if a.file != nil {
			a.state.Brings = a.brings()
		}
		answer.Bundles = append(answer.Bundles, a.state)
	}
	return answer, nil
}

// arrival is a bundle that is being looked at. The file stays open, so that what is
// checked is what is used.
type arrival struct {
	state  source.BundleState
	file   *os.File
	header bundle.Header
	size   int64
}

// open reads a bundle's header. What is wrong stands in the state.
func open(path string, limit int64) *arrival {
	a := &arrival{state: source.BundleState{File: path, State: source.BundleWaits}}
	// a pipe must not keep the child waiting
	f, err := os.OpenFile(path, os.O_RDONLY|nonblocking, 0)
	if err != nil {
		a.refuse(source.BundleBroken, err)
		return a
	}
	a.file = f
	info, err := f.Stat()
	switch {
	case err != nil:
		a.refuse(source.BundleBroken, err)
	case !info.Mode().IsRegular():
		a.refuse(source.BundleBroken, errors.New("it is no regular file"))
	case info.Size() > limit:
		a.refuse(source.BundleBroken, fmt.Errorf("it is larger than %d MiB (limits.fetchDisk)", limit>>20))
	default:
		a.size = info.Size()
		a.header, err = bundle.Read(f)
		a.judge(err)
	}
	return a
}

func (a *arrival) close() {
	if a.file != nil {
		a.file.Close() //nolint:errcheck // it was only read
	}
}

// judge refuses the bundle for an error in its content; nil is none.
func (a *arrival) judge(err error) {
	switch {
	case err == nil:
	case errors.Is(err, bundle.ErrShort):
		a.refuse(source.BundleIncomplete, err)
	default:
		a.refuse(source.BundleBroken, err)
	}
}

func (a *arrival) refuse(state string, err error) {
	a.state.State, a.state.Reason = state, resource.Harmless(err.Error(), maxReason)
}

// maxReason bounds what is said about a bundle, in bytes.
const maxReason = 300

// pending tells whether more may become of the bundle.
func (a *arrival) pending() bool { return a.state.State == source.BundleWaits }

// round imports each bundle that waits for nothing any more; it tells whether there
// was one.
func (h *hold) round(ctx context.Context, all []*arrival) (progress bool, err error) {
	for _, a := range all {
		if !a.pending() {
			continue
		}
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		missing, err := h.missing(a.header.Prerequisites)
		if err != nil {
			return false, err
		}
		if len(missing) > 0 {
			a.state.Reason = waitsFor(missing)
			continue
		}
		if err := h.accept(ctx, a); err != nil {
			return false, err
		}
		progress = true
	}
	return progress, nil
}

func waitsFor(missing []string) string {
	const shown = 3
	text := "it builds on commit " + strings.Join(missing[:min(shown, len(missing))], ", ")
	if more := len(missing) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text + ", which no bundle here brings"
}

// accept takes in a bundle whose prerequisites are there. The error is the hold's.
func (h *hold) accept(ctx context.Context, a *arrival) error {
	tips := hashes(a.header.Refs)
	missing, err := h.missing(tips)
	if err != nil {
		return err
	}
	if len(missing) > 0 { // what is there is complete, with all that it builds on
		err := h.take(ctx, a)
		var bad *unfit
		switch {
		case errors.As(err, &bad):
			a.judge(bad.err)
			return nil
		case err != nil:
			return err
		}
	}
	if err := h.commits(a.header.Refs); err != nil {
		a.judge(err)
		return nil
	}
	a.state.State, a.state.Reason = source.BundleOlder, ""
	return nil
}

// commits refuses branches that name something else.
func (h *hold) commits(refs []bundle.Ref) error {
	for _, r := range refs {
		if !branch(r) {
			continue
		}
		if _, err := h.store.EncodedObject(plumbing.CommitObject, plumbing.NewHash(r.Hash)); err != nil {
			return noCommit(r)
		}
	}
	return nil
}

// branch tells whether a ref names a commit, and not a tag.
func branch(r bundle.Ref) bool { return r.Name == "HEAD" || strings.HasPrefix(r.Name, branches) }

func noCommit(r bundle.Ref) error {
	return fmt.Errorf("%s in it names no commit", resource.Harmless(r.Name, 100))
}

func hashes(refs []bundle.Ref) []string {
	var out []string
	for _, r := range refs {
		out = append(out, r.Hash)
	}
	return out
}

// unfit is what is wrong with a bundle, where other errors are the machine's.
type unfit struct{ err error }

// Error says what is wrong.
func (u *unfit) Error() string { return u.err.Error() }

// Unwrap returns what is wrong.
func (u *unfit) Unwrap() error { return u.err }

// take checks the bundle's pack in a place of its own, and moves it into the
// repository where nothing is wrong with it.
func (h *hold) take(ctx context.Context, a *arrival) (err error) {
	dir, err := os.MkdirTemp(h.dir, incomingPrefix)
	if err != nil {
		return fmt.Errorf("make a directory for the bundle's pack: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	packs := filepath.Join(dir, packDir)
	if err := os.MkdirAll(packs, 0o700); err != nil {
		return err
	}
	name, err := h.unpack(a, packs)
	if err != nil {
		return err
	}
	fresh, err := openBare(dir)
	if err != nil {
		return err
	}
	check := closure{ctx: ctx, fresh: objectReader{store: fresh}, base: h.objects, seen: map[plumbing.Hash]bool{}}
	for _, ref := range a.header.Refs {
		if err := check.tip(ref); err != nil {
			return err
		}
	}
	if err := fresh.Close(); err != nil {
		return fmt.Errorf("close the bundle's pack: %w", err)
	}
	if err := h.adopt(packs, name); err != nil {
		return err
	}
	return h.fold(ctx)
}

// damagedHold is an error about the repository of bundles itself.
type damagedHold struct{ err error }

// Error says what is wrong.
func (d *damagedHold) Error() string { return "read the repository of bundles: " + d.err.Error() }

// Unwrap returns what is wrong.
func (d *damagedHold) Unwrap() error { return d.err }
