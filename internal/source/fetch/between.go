package fetch

import (
	"context"

	"github.com/go-git/go-git/v5/plumbing"
)

// contents lists the objects of commits, each once.
type contents struct {
	ctx     context.Context
	objects objectReader
	seen    map[plumbing.Hash]bool
	names   []plumbing.Hash
	commits []plumbing.Hash // those among them that count
}

// between lists the objects that tip, a commit or a tag, leads to, without the commits
// that since lead to and what their files are made of. What had been there once
// before, and is there again, may be among them. The commits among them are told, tip's
// own first.
func between(ctx context.Context, objects objectReader, tip string, since []string) (names, commits []plumbing.Hash, err error) {
	c := &contents{ctx: ctx, objects: objects, seen: map[plumbing.Hash]bool{}}
	for _, hash := range since {
		if err := c.files(plumbing.NewHash(hash)); err != nil {
			return nil, nil, err
		}
	}
	for _, hash := range since {
		if err := c.history(plumbing.NewHash(hash), false); err != nil {
			return nil, nil, err
		}
	}
	c.names = nil
	commit, err := c.tags(plumbing.NewHash(tip))
	if err != nil {
		return nil, nil, err
	}
	err = c.history(commit, true)
	return c.names, c.commits, err
}

// take lists an object; false where it is listed already.
func (c *contents) take(hash plumbing.Hash) bool {
	if c.seen[hash] {
		return false
	}
	c.seen[hash] = true
	c.names = append(c.names, hash)
	return true
}

// tags lists the tags that lead to a commit, and returns that.
func (c *contents) tags(hash plumbing.Hash) (plumbing.Hash, error) {
	for {
		obj, err := c.objects.store.EncodedObject(plumbing.AnyObject, hash)
		if err != nil {
			return hash, c.objects.lost(hash, err)
		}
		if obj.Type() != plumbing.TagObject {
			return hash, nil
		}
		raw, err := c.objects.read(plumbing.TagObject, hash, maxCommit)
		if err != nil {
			return hash, err
		}
		c.take(hash)
		if _, hash, err = tagged(raw); err != nil {
			return hash, err
		}
	}
}

// history lists a commit and its ancestors, with their files where those count.
func (c *contents) history(from plumbing.Hash, files bool) error {
	for open := []plumbing.Hash{from}; len(open) > 0; {
		next := open[len(open)-1]
		open = open[:len(open)-1]
		if !c.take(next) {
			continue
		}
		if c.ctx.Err() != nil {
			return context.Cause(c.ctx)
		}
		root, parents, err := c.commit(next)
		if err != nil {
			return err
		}
		if files {
			c.commits = append(c.commits, next)
			if err := c.tree(root); err != nil {
				return err
			}
		}
		open = append(open, parents...)
	}
	return nil
}

// files lists what the files of one commit are made of.
func (c *contents) files(hash plumbing.Hash) error {
	root, _, err := c.commit(hash)
	if err != nil {
		return err
	}
	return c.tree(root)
}

func (c *contents) commit(hash plumbing.Hash) (root plumbing.Hash, parents []plumbing.Hash, err error) {
	raw, err := c.objects.read(plumbing.CommitObject, hash, maxCommit)
	if err != nil {
		return root, nil, err
	}
	return links(raw)
}

// tree lists a directory with all below it.
func (c *contents) tree(root plumbing.Hash) error {
	for open := []plumbing.Hash{root}; len(open) > 0; {
		next := open[len(open)-1]
		open = open[:len(open)-1]
		if !c.take(next) {
			continue
		}
		raw, err := c.objects.read(plumbing.TreeObject, next, maxTree)
		if err != nil {
			return err
		}
		for len(raw) > 0 {
			var i item
			if i, raw, err = nextItem(raw); err != nil {
				return err
			}
			switch i.mode & 0o170000 {
			case 0o040000:
				open = append(open, i.hash)
			case 0o160000: // a submodule's commit is in another repository
			default:
				c.take(i.hash)
			}
		}
	}
	return nil
}
