package fetch

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/storer"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/source/remote"
)

// maxTag is how long a tag object may be, in bytes.
const maxTag = 1 << 20

// Tags gives the tag objects that lead from a ref to a commit.
func Tags(ctx context.Context, req source.TagRequest) (answer source.TagAnswer, err error) {
	addr, err := remote.Parse(req.Remote.URL)
	if err != nil {
		return answer, err
	}
	if addr.Kind == remote.Local {
		return localTags(addr.Path, req)
	}
	s, err := openStore(req.Store)
	if err != nil {
		return answer, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	answer, err = s.tags(ctx, req)
	if !errors.Is(err, errOdd) {
		return answer, full(err)
	}
	if err := s.anew(); err != nil {
		return answer, full(err)
	}
	answer, err = s.tags(ctx, req)
	return answer, full(err)
}

func localTags(path string, req source.TagRequest) (source.TagAnswer, error) {
	objects, err := remote.OpenLocal(path, true)
	if err != nil {
		return source.TagAnswer{}, err
	}
	ref, err := objects.Reference(plumbing.ReferenceName(req.Ref))
	if err != nil {
		return source.TagAnswer{}, fault.As(fault.Unreachable, fmt.Errorf("read ref %.100q: %w", req.Ref, err))
	}
	return tagChain(objectReader{store: objects}, ref.Hash())
}

// tags asks where the ref is now; a tag object that is not in the store is fetched.
func (s *store) tags(ctx context.Context, req source.TagRequest) (source.TagAnswer, error) {
	tip, err := tagTip(ctx, req)
	if err != nil || tip.IsZero() {
		return source.TagAnswer{}, err
	}
	objects := objectReader{store: s.objects, own: true}
	if !there(objects.store, tip) {
		want := request{want: tip, have: plumbing.NewHash(req.Commit), depth: 1, history: true}
		if _, err := s.fetch(ctx, req.Remote, remote.Want{Refs: []string{req.Ref}}, want, req.Disk); err != nil {
			return source.TagAnswer{}, err
		}
		objects.store = s.objects
	}
	if !there(objects.store, tip) {
		return source.TagAnswer{}, fault.As(fault.Unreachable, fmt.Errorf("the server does not give out tag %s", remote.Short(req.Ref)))
	}
	return tagChain(objects, tip)
}

// tagTip is the tag object that the server says the ref names; zero where it
// names the commit itself.
func tagTip(ctx context.Context, req source.TagRequest) (tip plumbing.Hash, err error) {
	conn, err := dial(ctx, req.Remote, req.Disk)
	if err != nil {
		return tip, err
	}
	defer func() { err = errors.Join(err, ignored(conn.Close())) }()
	hash, ok := conn.refs.References[req.Ref]
	if !ok {
		return tip, fault.As(fault.Unreachable, fmt.Errorf("the server has no tag %s any more", remote.Short(req.Ref)))
	}
	if _, annotated := conn.refs.Peeled[req.Ref]; !annotated {
		return tip, nil
	}
	return hash, nil
}

// there does not ask HasEncodedObject: that does not look into packs where nobody else
// writes.
func there(objects storer.EncodedObjectStorer, hash plumbing.Hash) bool {
	_, err := objects.EncodedObject(plumbing.AnyObject, hash)
	return err == nil
}

// tagChain reads tag objects, each of the next, as far as there are any.
func tagChain(objects objectReader, hash plumbing.Hash) (source.TagAnswer, error) {
	var answer source.TagAnswer
	for range source.MaxTags {
		obj, err := objects.store.EncodedObject(plumbing.AnyObject, hash)
		if err != nil {
			return answer, objects.lost(hash, err)
		}
		if obj.Type() != plumbing.TagObject {
			return answer, nil
		}
		raw, err := objects.read(plumbing.TagObject, hash, maxTag)
		if err != nil {
			return answer, err
		}
		answer.Tags = append(answer.Tags, source.Commit{Hash: hash.String(), Raw: raw})
		line, _, _ := strings.Cut(string(raw), "\n")
		next, ok := strings.CutPrefix(line, "object ")
		if !ok || !remote.ValidCommit(next) {
			return answer, fault.As(fault.Rejected, fmt.Errorf("tag object %s names no object", hash))
		}
		hash = plumbing.NewHash(next)
	}
	return answer, fault.As(fault.Rejected, errors.New("it is a tag of a tag of a tag without end"))
}
