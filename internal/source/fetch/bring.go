package fetch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"syncd.io/syncd/internal/durable"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/source/remote"
)

const (
	// tipsFile lists the commits of which the store has all files.
	tipsFile = "tips"
	// maxTips is how many of them a server is told of.
	maxTips = 3
	// maxAncestry is how long a pack of commits alone may be that nobody asked for, in
	// bytes.
	maxAncestry = 4 << 20
)

// take brings a commit into the store, from as little as possible: from nothing where
// it is there, from what is new in it, else as a whole. Each time use tells whether
// it is all there.
func (s *store) take(ctx context.Context, req source.FetchRequest, use func() error) error {
	err := fmt.Errorf("%w: nothing is there yet", errIncomplete)
	for _, bring := range []func(context.Context, source.FetchRequest) error{s.nothing, s.news, s.anything} {
		if err := bring(ctx, req); errors.Is(err, errFresh) {
			continue
		} else if err != nil {
			return err
		}
		if err = use(); !errors.Is(err, errIncomplete) {
			break
		}
	}
	if err == nil {
		if err = s.remember(req.Commit); err == nil {
			err = s.fold(ctx)
		}
		return err
	}
	if fault.Of(err) == fault.Rejected {
		return errors.Join(err, s.forget())
	}
	return err
}

// nothing is for a commit that is there already.
func (s *store) nothing(_ context.Context, req source.FetchRequest) error {
	if _, err := (objectReader{store: s.objects, own: true}).size(plumbing.NewHash(req.Commit)); errors.Is(err, errIncomplete) {
		return errFresh
	} else if err != nil {
		return err
	}
	return nil
}

// news fetches what the commit has and those before have not.
func (s *store) news(ctx context.Context, req source.FetchRequest) error {
	tips := s.tips()
	if len(tips) == 0 {
		return errFresh
	}
	_, err := s.fetch(ctx, req.Remote, req.Want, request{want: plumbing.NewHash(req.Commit), whole: tips}, req.Limits.Disk)
	if denied(err) {
		return errors.Join(errFresh, err)
	}
	return err
}

// lately is how many commits back a branch is looked at first for a commit that is no
// tip, and that the server does not hand out by its name.
const lately = 20

// anything fetches a commit alone where the server hands it out, else the followed
// ref with its history, whose tip may have moved on.
func (s *store) anything(ctx context.Context, req source.FetchRequest) error {
	want := plumbing.NewHash(req.Commit)
	var refusal error
	for _, r := range []request{{want: want, depth: 1}, {want: want, branch: true, depth: lately}, {want: want, branch: true}} {
		s.bulky = s.bulky || r.branch
		_, err := s.fetch(ctx, req.Remote, req.Want, r, req.Limits.Disk)
		switch {
		case err == nil && s.nothing(ctx, req) == nil:
			s.ancestry(ctx, req)
			return nil
		case err == nil:
			continue
		case !denied(err):
			return err
		case !r.branch:
			refusal = err
		}
	}
	err := gone(req.Want, want)
	if refusal != nil {
		err = fmt.Errorf("%w (asked for the commit by its name: %w)", err, refusal)
	}
	return err
}

// ancestry adds the commits before one that was fetched alone, where the server can
// give commits alone: whether a mirror is behind has to be told while the server that
// knows is down. What is lacking is asked for once more when it is needed, so that no
// trouble with it is told here.
func (s *store) ancestry(ctx context.Context, req source.FetchRequest) {
	if !s.filters {
		return
	}
	r := request{want: plumbing.NewHash(req.Commit), depth: nearHistory, history: true}
	_, _ = s.fetch(ctx, req.Remote, req.Want, r, maxAncestry)
}

// tips are the commits of which the store has all files, the newest first. Whatever
// is no commit is left out: that they are there is only found out as they are used.
func (s *store) tips() []plumbing.Hash {
	data, err := os.ReadFile(filepath.Join(s.dir, tipsFile))
	if err != nil || len(data) > 4096 {
		return nil
	}
	var out []plumbing.Hash
	for _, line := range strings.Fields(string(data)) {
		if remote.ValidCommit(line) && len(out) < maxTips {
			out = append(out, plumbing.NewHash(line))
		}
	}
	return out
}

// remember puts a commit before the others.
func (s *store) remember(commit string) error {
	lines := []string{commit}
	for _, tip := range s.tips() {
		if tip.String() != commit && len(lines) < maxTips {
			lines = append(lines, tip.String())
		}
	}
	if err := durable.Replace(filepath.Join(s.dir, tipsFile), []byte(strings.Join(lines, "\n")+"\n")); err != nil {
		return full(fmt.Errorf("note what the object store has: %w", err))
	}
	return nil
}

// forget removes the packs that came since the store was opened, and had not been there
// before: what is refused shall not pile up.
func (s *store) forget() error {
	var err error
	for _, base := range s.added {
		if !slices.Contains(s.again, base) {
			err = errors.Join(err, discard(base+".pack"), discard(base+".idx"))
		}
	}
	s.added = nil
	s.reopen()
	return err
}

// size is how long the packs are that came since the store was opened, in bytes.
func (s *store) size() (int64, error) {
	var sum int64
	for _, base := range s.added {
		info, err := os.Stat(base + ".pack")
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return 0, fmt.Errorf("%w: %w", errOdd, err)
			}
			return 0, fmt.Errorf("measure what was fetched: %w", err)
		}
		sum += info.Size()
	}
	return sum, nil
}
