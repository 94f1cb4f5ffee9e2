package fetch

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"syncd.io/syncd/internal/durable"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/source/bundle"
)

const branches = "refs/heads/"

// settle finds what the refs are by all bundles that count, the newest first in all,
// and says which of them serve.
func (h *hold) settle(ctx context.Context, all []*arrival) ([]source.BundleRef, error) {
	claims := map[string][]string{} // ref -> the objects that bundles say it names, the newest first
	for _, a := range all {
		for _, ref := range a.brings() {
			if !slices.Contains(claims[ref.Name], ref.Hash) {
				claims[ref.Name] = append(claims[ref.Name], ref.Hash)
			}
		}
	}
	refs := map[string]string{}
	var out []source.BundleRef
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		hash, err := h.newest(ctx, name, claims[name])
		if err != nil {
			return nil, err
		}
		peeled, err := h.peeled(hash)
		if err != nil {
			return nil, err
		}
		refs[name] = hash
		out = append(out, source.BundleRef{Ref: bundle.Ref{Name: name, Hash: hash}, Peeled: peeled})
	}
	for _, a := range all {
		for _, ref := range a.brings() {
			if refs[ref.Name] == ref.Hash {
				a.state.State = source.BundleServes
			}
		}
	}
	return out, h.setRefs(out)
}

// setRefs replaces all refs of the repository at once, for those who read it as one.
func (h *hold) setRefs(refs []source.BundleRef) error {
	var text strings.Builder
	for _, r := range refs {
		if r.Name != "HEAD" {
			text.WriteString(r.Hash + " " + r.Name + "\n")
		}
	}
	path := filepath.Join(h.dir, "packed-refs")
	if old, err := os.ReadFile(path); err == nil && string(old) == text.String() {
		return nil
	}
	if err := durable.Replace(path, []byte(text.String())); err != nil {
		return fmt.Errorf("set the refs of the repository of bundles: %w", err)
	}
	return nil
}

// brings are the refs of a bundle that counts.
func (a *arrival) brings() []bundle.Ref {
	if !a.state.Counts() {
		return nil
	}
	return a.header.Refs
}

// newest chooses among the objects that bundles give one ref: for a branch the
// commit that all others lead to; the first where they went apart, or where it is a
// tag, for whoever follows it to judge.
func (h *hold) newest(ctx context.Context, ref string, claimed []string) (string, error) {
	if len(claimed) == 1 || ref != "HEAD" && !strings.HasPrefix(ref, branches) {
		return claimed[0], nil
	}
	older, err := h.ancestors(ctx, claimed)
	if err != nil {
		return "", err
	}
	for _, hash := range claimed {
		if !older[hash] {
			return hash, nil
		}
	}
	return "", &damagedHold{errors.New("commits are their own ancestors")}
}

// ancestors returns which of some commits the others build on. It walks back from
// all of them at once, the newest commits first, and no further than it has to.
func (h *hold) ancestors(ctx context.Context, commits []string) (map[string]bool, error) {
	older, seen, asked := map[string]bool{}, map[plumbing.Hash]bool{}, map[string]bool{}
	var queue byTime
	for _, name := range commits {
		asked[name] = true
		if err := h.push(&queue, seen, plumbing.NewHash(name)); err != nil {
			return nil, err
		}
	}
	for queue.Len() > 0 && len(older) < len(commits)-1 {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		next, _ := heap.Pop(&queue).(visit)
		for _, parent := range next.parents {
			if name := parent.String(); asked[name] {
				older[name] = true
			}
			if err := h.push(&queue, seen, parent); err != nil {
				return nil, err
			}
		}
	}
	return older, nil
}

// visit is a commit to walk on from.
type visit struct {
	seconds int64
	parents []plumbing.Hash
}

func (h *hold) push(queue *byTime, seen map[plumbing.Hash]bool, hash plumbing.Hash) error {
	if seen[hash] {
		return nil
	}
	seen[hash] = true
	raw, err := h.objects.read(plumbing.CommitObject, hash, maxCommit)
	if err != nil {
		return &damagedHold{err}
	}
	_, parents, err := links(raw)
	if err != nil {
		return &damagedHold{fmt.Errorf("commit %s: %w", hash, err)}
	}
	revision, _, err := parseCommit(hash, raw)
	if err != nil {
		return &damagedHold{err}
	}
	heap.Push(queue, visit{revision.Time.Unix(), parents})
	return nil
}

// byTime is a heap with the newest commit on top.
type byTime []visit

// Len implements heap.Interface.
func (b byTime) Len() int { return len(b) }

// Less implements heap.Interface.
func (b byTime) Less(i, j int) bool { return b[i].seconds > b[j].seconds }

// Swap implements heap.Interface.
func (b byTime) Swap(i, j int) { b[i], b[j] = b[j], b[i] }

// Push implements heap.Interface.
func (b *byTime) Push(x any) {
	if v, ok := x.(visit); ok {
		*b = append(*b, v)
	}
}

// Pop implements heap.Interface.
func (b *byTime) Pop() any {
	old := *b
	last := old[len(old)-1]
	*b = old[:len(old)-1]
	return last
}

// peeled returns the commit that a tag names, as far as it names one; empty for what
// is no tag.
func (h *hold) peeled(hash string) (string, error) {
	for depth := 0; ; depth++ {
		obj, err := h.store.EncodedObject(plumbing.AnyObject, plumbing.NewHash(hash))
		switch {
		case err != nil:
			return "", &damagedHold{err}
		case obj.Type() == plumbing.TagObject && depth < maxPeel:
			raw, err := h.objects.read(plumbing.TagObject, obj.Hash(), maxCommit)
			if err != nil {
				return "", &damagedHold{err}
			}
			_, target, err := tagged(raw)
			if err != nil {
				return "", &damagedHold{err}
			}
			hash = target.String()
		case depth > 0 && obj.Type() == plumbing.CommitObject:
			return hash, nil
		default:
			return "", nil
		}
	}
}

// maxPeel is how many tags of tags are followed.
const maxPeel = 10
