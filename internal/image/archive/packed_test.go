package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"syncd.io/syncd/internal/image/oci"
)

// saveLarge writes what `docker save | gzip` leaves of an image: layers of some bytes
// each, which lie in another order than they belong.
func saveLarge(t testing.TB, path string, layers int, size int64) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	zipped, err := gzip.NewWriterLevel(f, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	out := tar.NewWriter(zipped)
	put := func(name string, size int64, content io.Reader) {
		if err := out.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: size}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(out, content, size); err != nil {
			t.Fatal(err)
		}
	}
	config := struct {
		OS           string `json:"os"`
		Architecture string `json:"architecture"`
		RootFS       struct {
			DiffIDs []string `json:"diff_ids"`
		} `json:"rootfs"`
	}{OS: "linux", Architecture: "amd64"}
	s := saved{RepoTags: []string{"shop/large:v1"}}
	for n := range layers {
		sum := newSum()
		put(fmt.Sprintf("%d/layer.tar", layers-n), size, io.TeeReader(letters(uint64(n)), sum))
		config.RootFS.DiffIDs = append([]string{sum.digest()}, config.RootFS.DiffIDs...)
		s.Layers = append([]string{fmt.Sprintf("%d/layer.tar", layers-n)}, s.Layers...)
	}
	raw := encoded(t, config)
	s.Config = oci.DigestOf(raw)[len("sha256:"):] + ".json"
	put(s.Config, int64(len(raw)), bytesOf(raw))
	list := encoded(t, []saved{s})
	put(dockerFile, int64(len(list)), bytesOf(list))
	if err := errors.Join(out.Close(), zipped.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func encoded(t testing.TB, value any) []byte {
	t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// letters are some that never end, and pack as files do.
func letters(seed uint64) io.Reader {
	return endless{rand.New(rand.NewPCG(seed, seed))}
}

type endless struct{ from *rand.Rand }

// Read fills all of p.
func (e endless) Read(p []byte) (int, error) {
	for i := 0; i < len(p); i += 8 {
		v := e.from.Uint64()
		for n := i; n < min(i+8, len(p)); n++ {
			p[n] = "etaoinshrdlucmfw"[v&15]
			v >>= 8
		}
	}
	return len(p), nil
}

// A compressed archive is unpacked once for all that is wanted of it, whatever its
// order: what cannot be read a second time is enough.
func TestAPackedArchiveIsReadOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.tar.gz")
	saveLarge(t, path, 5, 100_000)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := oci.ParseRef("shop/large:v1")
	if err != nil {
		t.Fatal(err)
	}
	found, from, ok, err := New(filepath.Dir(path)).Find(t.Context(), ref, "", amd64)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if err := errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o600)); err != nil {
		t.Fatal(err)
	}
	fed := make(chan error, 1)
	go func() { fed <- feed(path, whole) }()
	out := sum{sha256.New()}
	err = found.Save(t.Context(), out, from, oci.Saving{Skip: 1})
	if err := errors.Join(err, <-fed); err != nil {
		t.Fatal(err)
	}
}

// feed lets whoever opens a pipe first read some bytes, and nobody open it again.
func feed(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err == nil {
		err = os.Remove(path)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if errors.Is(err, syscall.EPIPE) { // enough was read
		err = nil
	}
	return errors.Join(err, f.Close())
}

// BenchmarkPackedArchive: an archive of 128 MiB is looked through, and loaded.
func BenchmarkPackedArchive(b *testing.B) {
	const layers, size = 8, 16 << 20
	dir := b.TempDir()
	saveLarge(b, filepath.Join(dir, "a.tar.gz"), layers, size)
	ref, err := oci.ParseRef("shop/large:v1")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(layers * size)
	for b.Loop() {
		found, from, ok, err := New(dir).Find(b.Context(), ref, "", amd64)
		if err != nil || !ok {
			b.Fatal(ok, err)
		}
		if err := found.Save(b.Context(), io.Discard, from, oci.Saving{}); err != nil {
			b.Fatal(err)
		}
	}
}

func bytesOf(raw []byte) io.Reader { return bytes.NewReader(raw) }

// sum is a digest in the making.
type sum struct{ hash.Hash }

func newSum() sum { return sum{sha256.New()} }

func (s sum) digest() string { return "sha256:" + hex.EncodeToString(s.Sum(nil)) }
