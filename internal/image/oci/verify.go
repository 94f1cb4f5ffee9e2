package oci

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

const prefix = "sha256:"

// ErrOther is said of bytes that are not those that a descriptor names.
var ErrOther = errors.New("the content does not have its digest")

// DigestOf returns the digest of bytes.
func DigestOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return prefix + hex.EncodeToString(sum[:])
}

// Hex returns the digits of a SHA-256 digest; false where it is none. Other
// algorithms are not used by any registry.
func Hex(digest string) (string, bool) {
	digits, ok := strings.CutPrefix(digest, prefix)
	if !ok || len(digits) != hex.EncodedLen(sha256.Size) || strings.Trim(digits, "0123456789abcdef") != "" {
		return "", false
	}
	return digits, true
}

// Verified reads r, which has to be exactly what d says: its last read fails with
// ErrOther where it is not. A d without a size is one of any length.
func Verified(r io.Reader, d ocispec.Descriptor) io.Reader {
	return &verified{from: r, want: d, sum: sha256.New()}
}

type verified struct {
	from io.Reader
	want ocispec.Descriptor
	sum  hash.Hash
	read int64
}

// Read hands bytes on, and judges them once they are all there.
func (v *verified) Read(p []byte) (int, error) {
	n, err := v.from.Read(p)
	v.sum.Write(p[:n])
	v.read += int64(n)
	if v.want.Size > 0 && v.read > v.want.Size {
		return 0, fmt.Errorf("%w: %s is longer than %d bytes", ErrOther, v.want.Digest, v.want.Size)
	}
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	if got := prefix + hex.EncodeToString(v.sum.Sum(nil)); got != v.want.Digest.String() || v.want.Size > 0 && v.read != v.want.Size {
		return n, fmt.Errorf("%w: it has %d bytes of digest %s, not %d of %s", ErrOther, v.read, got, v.want.Size, v.want.Digest)
	}
	return n, io.EOF
}

// Read returns a whole blob of at most limit bytes, checked.
func Read(ctx context.Context, blobs Blobs, d ocispec.Descriptor, limit int64) ([]byte, error) {
	if d.Size > limit {
		return nil, fmt.Errorf("read %s: it has %d bytes, more than %d", d.Digest, d.Size, limit)
	}
	r, err := blobs.Open(ctx, d)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var out bytes.Buffer
	if _, err := io.Copy(&out, Verified(io.LimitReader(r, limit+1), d)); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
