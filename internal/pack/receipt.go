package pack

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"syncd.io/syncd/internal/durable"
	"syncd.io/syncd/internal/fault"
)

// maxReceipt is how long a receipt may be, in bytes.
const maxReceipt = 64 << 20

// Receipt says what a host has after it took a pack: the next pack for it needs to
// bring the rest only.
type Receipt struct {
	Version int `json:"version"`
	// Pack is the ID of the pack, Made when that was made, Signer who signed it.
	Pack string `json:"pack"`
	// Number is how many packs the host has taken with this one.
	Number int       `json:"number,omitempty"`
	Made   time.Time `json:"made"`
	Signer string    `json:"signer,omitempty"`
	// Host is who took it, At when.
	Host string    `json:"host,omitempty"`
	At   time.Time `json:"at"`
	// Commit is the revision that it brought, Since what it built on.
	Commit string   `json:"commit"`
	Since  []string `json:"since,omitempty"`
	// Blobs are the digests of the images' parts that are there, in order.
	Blobs []string `json:"blobs,omitempty"`
}

// encode writes a receipt for people and programs.
func (r Receipt) encode() ([]byte, error) {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the receipt: %w", err)
	}
	return append(data, '\n'), nil
}

// Save writes a receipt to a file, whole or not at all.
func (r Receipt) Save(path string) error {
	data, err := r.encode()
	if err != nil {
		return err
	}
	if err := durable.Replace(path, data); err != nil {
		return fmt.Errorf("write the receipt: %w", err)
	}
	return nil
}

// ReadReceipt reads a receipt, and believes no more of it than what a pack may leave
// out. Errors: Rejected.
func ReadReceipt(path string) (Receipt, error) {
	f, err := os.Open(path)
	if err != nil {
		return Receipt{}, fault.As(fault.Rejected, fmt.Errorf("read the receipt: %w", err))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxReceipt+1))
	if err == nil && len(data) > maxReceipt {
		err = errors.New("it is too long")
	}
	var r Receipt
	if err == nil {
		r, err = parseReceipt(data)
	}
	if err != nil {
		err = fault.As(fault.Rejected, fmt.Errorf("read the receipt %s: %w", path, err))
		return Receipt{}, fault.Hint(err, "take the one that syncd unpack left on the other side, or leave it out: the pack has everything then")
	}
	return r, nil
}

func parseReceipt(data []byte) (Receipt, error) {
	var r Receipt
	if err := strictly(data, &r); err != nil {
		return Receipt{}, errors.New("it is no receipt of a pack")
	}
	switch {
	case r.Version < oldest || r.Version > version:
		return Receipt{}, fmt.Errorf("it has version %d, and this syncd reads %d", r.Version, version)
	case !commit(r.Commit):
		return Receipt{}, errors.New("it names no revision")
	case slices.ContainsFunc(r.Blobs, func(d string) bool { return !isDigest(d) }):
		return Receipt{}, errors.New("it names something else than digests")
	}
	return r, nil
}

// after tells whether the host wrote the receipt after another one.
func (r Receipt) after(other Receipt) bool {
	return cmp.Or(r.Number-other.Number, r.At.Compare(other.At)) > 0
}

// Has tells whether the host has a blob.
func (r Receipt) Has(digest string) bool {
	_, found := slices.BinarySearch(r.Blobs, digest)
	return found
}
