package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"syncd.io/syncd/internal/source/bundle"
	"syncd.io/syncd/internal/source/remote"
)

// closure checks that all is there that new refs lead to. What is in base is
// complete, and is not looked into.
type closure struct {
	ctx         context.Context
	fresh, base objectReader
	seen        map[plumbing.Hash]bool
	open        []task
}

// task is an object to look at.
type task struct {
	kind plumbing.ObjectType
	hash plumbing.Hash
}

// tip checks what one ref names: a commit, or a tag of anything. An error about the
// bundle is unfit.
func (c *closure) tip(ref bundle.Ref) error {
	hash := plumbing.NewHash(ref.Hash)
	kind, err := c.kind(hash)
	if err != nil {
		return err
	}
	if branch(ref) && kind != plumbing.CommitObject {
		return &unfit{noCommit(ref)}
	}
	c.open = append(c.open, task{kind, hash})
	for len(c.open) > 0 {
		if c.ctx.Err() != nil {
			return context.Cause(c.ctx)
		}
		last := len(c.open) - 1
		next := c.open[last]
		c.open = c.open[:last]
		if err := c.look(next); err != nil {
			return err
		}
	}
	return nil
}

// kind finds out what a ref names.
func (c *closure) kind(hash plumbing.Hash) (plumbing.ObjectType, error) {
	obj, err := c.fresh.store.EncodedObject(plumbing.AnyObject, hash)
	if err != nil && !errors.Is(err, plumbing.ErrObjectNotFound) {
		return 0, &unfit{fmt.Errorf("read object %s: %w", hash, err)}
	}
	if err != nil {
		obj, err = c.base.store.EncodedObject(plumbing.AnyObject, hash)
	}
	switch {
	case errors.Is(err, plumbing.ErrObjectNotFound):
		return 0, lacks(plumbing.AnyObject, hash)
	case err != nil:
		return 0, &damagedHold{fmt.Errorf("read object %s: %w", hash, err)}
	}
	return obj.Type(), nil
}

// lacks says what a bundle should have brought.
func lacks(kind plumbing.ObjectType, hash plumbing.Hash) error {
	err := fmt.Errorf("it lacks %s %s", kind, hash)
	switch kind {
	case plumbing.CommitObject:
		err = fmt.Errorf("it lacks commit %s: it may be made of a shallow clone", hash)
	case plumbing.AnyObject:
		err = fmt.Errorf("it lacks object %s, which one of its refs names", hash)
	}
	return &unfit{err}
}

// look checks one object, and adds what it names.
func (c *closure) look(t task) error {
	if c.seen[t.hash] {
		return nil
	}
	c.seen[t.hash] = true
	here, err := c.base.has(t.hash)
	if err != nil {
		return &damagedHold{err}
	}
	if here {
		return nil
	}
	if here, err = c.fresh.has(t.hash); err != nil {
		return &unfit{err}
	}
	if !here {
		return lacks(t.kind, t.hash)
	}
	switch t.kind {
	case plumbing.CommitObject:
		return c.commit(t.hash)
	case plumbing.TreeObject:
		return c.tree(t.hash)
	case plumbing.TagObject:
		return c.tag(t.hash)
	default:
		return nil
	}
}

func (c *closure) commit(hash plumbing.Hash) error {
	raw, err := c.fresh.read(plumbing.CommitObject, hash, maxCommit)
	if err != nil {
		return &unfit{err}
	}
	root, parents, err := links(raw)
	if err != nil {
		return &unfit{fmt.Errorf("commit %s: %w", hash, err)}
	}
	c.open = append(c.open, task{plumbing.TreeObject, root})
	for _, parent := range parents {
		c.open = append(c.open, task{plumbing.CommitObject, parent})
	}
	return nil
}

// links reads the tree and the parents of a commit.
func links(raw []byte) (root plumbing.Hash, parents []plumbing.Hash, err error) {
	header, _, _ := bytes.Cut(raw, []byte("\n\n"))
	for i, line := range strings.Split(string(header), "\n") {
		key, value, _ := strings.Cut(line, " ")
		switch {
		case i == 0 && key == "tree" && remote.ValidCommit(value):
			root = plumbing.NewHash(value)
		case i > 0 && key == "parent" && remote.ValidCommit(value):
			parents = append(parents, plumbing.NewHash(value))
		case i == 0:
			return root, nil, errCommit
		default:
			return root, parents, nil
		}
	}
	return root, parents, nil
}

func (c *closure) tree(hash plumbing.Hash) error {
	raw, err := c.fresh.read(plumbing.TreeObject, hash, maxTree)
	if err != nil {
		return &unfit{err}
	}
	for len(raw) > 0 {
		var i item
		if i, raw, err = nextItem(raw); err != nil {
			return &unfit{fmt.Errorf("tree %s: %w", hash, err)}
		}
		switch i.mode & 0o170000 {
		case 0o040000:
			c.open = append(c.open, task{plumbing.TreeObject, i.hash})
		case 0o160000: // a submodule's commit is in another repository
		default:
			c.open = append(c.open, task{plumbing.BlobObject, i.hash})
		}
	}
	return nil
}

func (c *closure) tag(hash plumbing.Hash) error {
	raw, err := c.fresh.read(plumbing.TagObject, hash, maxCommit)
	if err != nil {
		return &unfit{err}
	}
	kind, target, err := tagged(raw)
	if err != nil {
		return &unfit{fmt.Errorf("tag %s: %w", hash, err)}
	}
	c.open = append(c.open, task{kind, target})
	return nil
}

// tagged reads what a tag names.
func tagged(raw []byte) (plumbing.ObjectType, plumbing.Hash, error) {
	object, rest, _ := strings.Cut(string(raw), "\n")
	kind, _, _ := strings.Cut(rest, "\n")
	target, ok := strings.CutPrefix(object, "object ")
	named, ok2 := strings.CutPrefix(kind, "type ")
	what, err := plumbing.ParseObjectType(named)
	if !ok || !ok2 || err != nil || !remote.ValidCommit(target) {
		return 0, plumbing.ZeroHash, errors.New("it names no object")
	}
	return what, plumbing.NewHash(target), nil
}
