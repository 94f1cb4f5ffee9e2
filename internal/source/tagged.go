package source

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/remote"
	"syncd.io/syncd/internal/source/verify"
)

const tagsPrefix = "refs/tags/"

// MaxTags is how long a chain of tags of tags may be.
const MaxTags = 10

// TagRequest asks the child for the tag objects between a ref and a commit.
type TagRequest struct {
	Remote remote.Spec `json:"remote"`
	// Ref is a full name below refs/tags/, Commit what it was found to name.
	Ref    string `json:"ref"`
	Commit string `json:"commit"`
	// Store is the directory of the object store, Disk how much may be downloaded, in
	// bytes.
	Store string `json:"store"`
	Disk  int64  `json:"disk"`
}

// TagAnswer holds them: the one that the ref names first, each of the next. None is a
// lightweight tag.
type TagAnswer struct {
	Tags []Commit `json:"tags,omitempty"`
}

// tagSigner says who signed the tag that a commit was found by: the annotated tag of
// that very name, or a signed tag of another release would do in its place. The tag is
// handed to check.
func (r *Repository) tagSigner(ctx context.Context, check func(verify.Object) (verify.Signer, error), c claim) (verify.Signer, error) {
	answer, err := r.tagsOf(ctx, c)
	if err != nil {
		return verify.Signer{}, err
	}
	short := remote.Short(c.ref)
	if len(answer.Tags) == 0 {
		err := fault.As(fault.Rejected, fmt.Errorf("tag %s is a lightweight one, which nobody can sign", short))
		return verify.Signer{}, fault.Hint(err, "make it anew: git tag -s -f "+short+"; what runs goes on running")
	}
	first, err := chain(answer.Tags, c.commit)
	if err != nil {
		return verify.Signer{}, err
	}
	if first.Name != short {
		err := fault.As(fault.Rejected, fmt.Errorf("tag %s is in truth %s, under another name", short, first))
		return verify.Signer{}, fault.Hint(err, "a tag that is renamed has to be made and signed anew; find out who moved it")
	}
	return check(first)
}

// chain follows tags to the commit, and returns the first.
func chain(tags []Commit, commit string) (first verify.Object, err error) {
	want := tags[0].Hash
	for i, raw := range tags {
		o, err := verify.ParseTag(raw.Hash, raw.Raw)
		if err != nil {
			return first, err
		}
		if i == 0 {
			first = o
		}
		if o.Hash != want || i >= MaxTags {
			return first, fault.As(fault.Unreachable, errors.New("the tags that came do not lead to one another"))
		}
		want = o.Target
	}
	if want != commit {
		return first, fault.As(fault.Unreachable, fmt.Errorf("the tag leads to %.10s by now, and not to %.10s", want, commit))
	}
	return first, nil
}

// tagsOf asks who named the commit, else the others.
func (r *Repository) tagsOf(ctx context.Context, c claim) (TagAnswer, error) {
	dir, err := filepath.Abs(r.opts.Dir)
	if err != nil {
		return TagAnswer{}, fmt.Errorf("find the cache directory: %w", err)
	}
	req := TagRequest{Ref: c.ref, Commit: c.commit, Store: filepath.Join(dir, storeName), Disk: int64(r.opts.Limits.FetchDisk)}
	q, _ := r.recall(c.commit)
	answer, err := fromAny(ctx, r, q, func(o *origin) (TagAnswer, error) { return r.tagsFrom(ctx, o, req) })
	if err != nil {
		return answer, r.placed("ask tag "+remote.Short(c.ref)+" of", err)
	}
	return answer, nil
}

// tagsFrom asks one remote.
func (r *Repository) tagsFrom(ctx context.Context, o *origin, req TagRequest) (answer TagAnswer, err error) {
	defer o.reading()()
	if req.Remote, err = o.spec(ctx); err != nil {
		return answer, err
	}
	done, err := r.storeTurn(ctx)
	if err != nil {
		return answer, err
	}
	defer done()
	limits := o.bounds(r.opts.Limits.FetchTime.D(), "limits.fetchTime")
	limits.Output = historyOutput
	return answer, o.call(ctx, "tags", req, &answer, limits)
}
