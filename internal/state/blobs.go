package state

import (
	"context"

	"syncd.io/syncd/internal/blob"
)

// Blobs keeps named values for the record in a cluster. Errors: Unreachable where
// it does not answer, after which nobody knows whether a write arrived; Blocked
// where this agent may not.
type Blobs interface {
	// List returns all that there are, as they are now.
	List(ctx context.Context) ([]blob.Blob, error)
	// Get returns one; fs.ErrNotExist where there is none.
	Get(ctx context.Context, name string) (blob.Blob, error)
	// Put writes b in place of the version that it names, or as a new one where it
	// names none, and returns its new version. fs.ErrExist where something else is
	// there; fs.ErrNotExist where the version that it names is gone.
	Put(ctx context.Context, b blob.Blob) (version string, err error)
	// Delete removes b where it still has the version that it names, whatever there
	// is where it names none; one that is gone is success, one that has changed
	// fs.ErrExist.
	Delete(ctx context.Context, b blob.Blob) error
}

// The parts of a record in a cluster.
const (
	recordPart = "record"
	chunkPart  = "chunk"
	keyPart    = "key"
	brokenPart = "broken"
)
