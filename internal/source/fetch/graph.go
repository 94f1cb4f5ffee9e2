package fetch

import (
	"bytes"
	"context"
	"errors"

	"github.com/go-git/go-git/v5/plumbing"

	"syncd.io/syncd/internal/source/remote"
)

// maxGraph is how many commits are looked at for one question.
const maxGraph = 1 << 20

// errGraph ends a question about a history without end.
var errGraph = errors.New("the history has more than 1048576 commits")

// graph is what is known of history: the commits of all that objects are read from.
// A commit's own bytes say who its parents are; neither replacements nor grafts nor
// borders of shallow clones do.
type graph struct {
	stores []objectReader
	seen   map[plumbing.Hash][]plumbing.Hash // commit -> its parents
}

func newGraph(stores ...objectReader) *graph {
	return &graph{stores: stores, seen: map[plumbing.Hash][]plumbing.Hash{}}
}

// raw reads a commit's bytes; there is none where nobody has it.
func (g *graph) raw(hash plumbing.Hash) (data []byte, there bool, err error) {
	for _, s := range g.stores {
		data, err := s.read(plumbing.CommitObject, hash, maxCommit)
		if err == nil || !errors.Is(err, plumbing.ErrObjectNotFound) {
			return data, err == nil, err
		}
	}
	return nil, false, nil
}

// parents are those of a commit; there is false where it is not known.
func (g *graph) parents(hash plumbing.Hash) (parents []plumbing.Hash, there bool, err error) {
	if parents, there = g.seen[hash]; there {
		return parents, true, nil
	}
	raw, there, err := g.raw(hash)
	if err != nil || !there {
		return nil, false, err
	}
	parents = parentsOf(raw)
	g.seen[hash] = parents
	return parents, true, nil
}

// parentsOf reads the lines behind the tree's.
func parentsOf(raw []byte) []plumbing.Hash {
	var out []plumbing.Hash
	_, rest, _ := bytes.Cut(raw, []byte("\n"))
	for {
		line, more, _ := bytes.Cut(rest, []byte("\n"))
		hash, ok := bytes.CutPrefix(line, []byte("parent "))
		if !ok || !remote.ValidCommit(string(hash)) {
			return out
		}
		out = append(out, plumbing.NewHash(string(hash)))
		rest = more
	}
}

// reach is what a walk from a commit to its ancestors came to.
type reach struct {
	// order are the commits that are known, as they were met; met has them, and
	// the border too.
	order []plumbing.Hash
	met   map[plumbing.Hash]bool
	// border are commits that are named as a parent (or asked for), and not known.
	border []plumbing.Hash
}

// walk goes from start to all its ancestors, except those in without and theirs. It
// ends early once it has met goal.
func (g *graph) walk(ctx context.Context, start, goal plumbing.Hash, without map[plumbing.Hash]bool) (reach, error) {
	r := reach{met: map[plumbing.Hash]bool{}}
	if without[start] {
		return r, nil
	}
	r.met[start] = true
	for queue := []plumbing.Hash{start}; len(queue) > 0 && !r.met[goal]; queue = queue[1:] {
		if err := ctx.Err(); err != nil {
			return r, context.Cause(ctx)
		}
		if len(r.order) >= maxGraph {
			return r, errGraph
		}
		parents, there, err := g.parents(queue[0])
		if err != nil {
			return r, err
		}
		if !there {
			r.border = append(r.border, queue[0])
			continue
		}
		r.order = append(r.order, queue[0])
		for _, p := range parents {
			if !r.met[p] && !without[p] {
				r.met[p] = true
				queue = append(queue, p)
			}
		}
	}
	return r, nil
}
