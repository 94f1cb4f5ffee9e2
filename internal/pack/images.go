package pack

import "context"

// Collector gathers images for a pack.
type Collector interface {
	// Collect writes into the directory dir an OCI layout of the named images, each by
	// the digest that its name stands for now: oci-layout, index.json and
	// blobs/sha256/…, without those blobs of which has says that the other side has
	// them (sha256:…). Blobs that are in dir already need not be fetched again.
	Collect(ctx context.Context, names []string, has func(digest string) bool, dir string) ([]Image, error)
}

// Loader takes over the images of a pack.
type Loader interface {
	// Ready tells whether Load has somebody to hand images to, for a large pack not to
	// be read in vain. Errors: Unreachable where the engine does not answer; Blocked
	// where nobody is named.
	Ready(ctx context.Context) error
	// Load takes over images whose blobs are in the OCI layout dir, as far as they
	// were not brought before: into the engine, a store below the state directory, or
	// a registry. dir is removed afterwards. Doing it again changes nothing. Errors:
	// Rejected where a blob is missing or not what its digest says; Unreachable where
	// the engine or the registry does not answer.
	Load(ctx context.Context, dir string, images []Image) error
	// Held are the digests of the blobs that are here, which the next pack can leave
	// out.
	Held(ctx context.Context) ([]string, error)
}
