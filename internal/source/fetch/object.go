package fetch

import (
	"errors"
	"fmt"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/storer"

	"syncd.io/syncd/internal/fault"
)

// errIncomplete is in the chain of an error about an object that the store of our
// own does not have.
var errIncomplete = errors.New("the object store lacks it")

// objectReader reads objects and does not believe the store: every object's
// bytes are hashed again.
type objectReader struct {
	store storer.EncodedObjectStorer
	// own is set for the object store of our own: what cannot be read of it is
	// fetched anew.
	own bool
}

// size is the length of an object's content, in bytes, without inflating it.
func (o objectReader) size(hash plumbing.Hash) (int64, error) {
	size, err := o.store.EncodedObjectSize(hash)
	if errors.Is(err, plumbing.ErrObjectNotFound) { // it may be borrowed: EncodedObjectSize does not look there
		obj, err := o.store.EncodedObject(plumbing.AnyObject, hash)
		if err != nil {
			return 0, o.lost(hash, err)
		}
		return obj.Size(), nil
	}
	return size, o.lost(hash, err)
}

// read returns the whole content of an object of at most limit bytes.
func (o objectReader) read(kind plumbing.ObjectType, hash plumbing.Hash, limit int64) ([]byte, error) {
	size, err := o.size(hash)
	if err != nil {
		return nil, err
	}
	if size > limit {
		return nil, tooLarge(kind, hash, limit)
	}
	r, err := o.open(kind, hash)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err := errors.Join(err, r.Close()); err != nil {
		return nil, o.lost(hash, err)
	}
	if plumbing.ComputeHash(kind, data) != hash {
		return nil, o.damaged(hash)
	}
	return data, nil
}

// tooLarge is for an object that no honest repository holds: no setting raises
// these limits.
func tooLarge(kind plumbing.ObjectType, hash plumbing.Hash, limit int64) error {
	err := fault.As(fault.Rejected, fmt.Errorf("%s %s is larger than %d KiB", kind, hash, limit>>10))
	switch kind {
	case plumbing.TreeObject:
		return fault.Hint(err, "one directory has too many entries, and no setting raises this: keep only what is deployed in the repository, or spread it over directories (limits.files is for all of them together)")
	case plumbing.CommitObject:
		return fault.Hint(err, "no setting raises this: commit anew, with a shorter message")
	default:
		return err
	}
}

func (o objectReader) open(kind plumbing.ObjectType, hash plumbing.Hash) (io.ReadCloser, error) {
	obj, err := o.store.EncodedObject(kind, hash)
	if err != nil {
		return nil, o.lost(hash, err)
	}
	r, err := obj.Reader()
	return r, o.lost(hash, err)
}

// copy writes a blob of exactly size bytes to w.
func (o objectReader) copy(w io.Writer, hash plumbing.Hash, size int64) error {
	r, err := o.open(plumbing.BlobObject, hash)
	if err != nil {
		return err
	}
	h := plumbing.NewHasher(plumbing.BlobObject, size)
	_, err = io.Copy(io.MultiWriter(w, h), io.LimitReader(r, size+1))
	if err := errors.Join(err, r.Close()); err != nil {
		return err
	}
	if h.Sum() != hash {
		return o.damaged(hash)
	}
	return nil
}

// lost is for an object that cannot be read: of a damaged repository, or of one
// that is being packed right now.
func (o objectReader) lost(hash plumbing.Hash, err error) error {
	if err == nil {
		return nil
	}
	err = fault.As(fault.Unreachable, fmt.Errorf("read object %s: %w", hash, err))
	switch {
	case o.own && errors.Is(err, plumbing.ErrObjectNotFound):
		return fmt.Errorf("%w: %w", errIncomplete, err)
	case o.own:
		return fmt.Errorf("%w: %w", errOdd, err)
	}
	return fault.Hint(err, "if this stays, look at the repository with git fsck")
}

func (o objectReader) damaged(hash plumbing.Hash) error {
	return o.lost(hash, errors.New("its bytes do not fit its name"))
}
