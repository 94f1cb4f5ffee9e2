package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/compression"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"syncd.io/syncd/internal/image/archive"
)

// zstd is an image with a layer that is packed by zstd.
func zstd(t *testing.T) v1.Image {
	t.Helper()
	var files bytes.Buffer
	w := tar.NewWriter(&files)
	body := bytes.Repeat([]byte("what is said again and again "), 1000)
	if err := w.WriteHeader(&tar.Header{Name: "file", Mode: 0o644, Size: int64(len(body))}); err != nil {
		t.Fatal(err)
	}
	must(w.Write(body))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files.Bytes())), nil }
	layer := must(tarball.LayerFromOpener(open, tarball.WithCompression(compression.ZStd), tarball.WithMediaType(types.OCILayerZStd)))
	out := must(mutate.AppendLayers(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), layer))
	config := must(out.ConfigFile()).DeepCopy()
	config.OS, config.Architecture = "linux", "amd64"
	return must(mutate.ConfigFile(out, config))
}

// zipped is a directory with a layout as one compressed archive.
func zipped(t *testing.T, layout string) string {
	t.Helper()
	dir := t.TempDir()
	f := must(os.Create(filepath.Join(dir, "web.tar.gz")))
	z := gzip.NewWriter(f)
	w := tar.NewWriter(z)
	if err := errors.Join(w.AddFS(os.DirFS(layout)), w.Close(), z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Layers are carried as they are, however they are packed: from a layout, out of it
// into a registry, and into the archive that an engine loads.
func TestLayersOfZstdAreCarried(t *testing.T) {
	made := zstd(t)
	digest := must(made.Digest()).String()
	layer := must(must(made.Layers())[0].Digest()).String()
	packed := must(io.ReadAll(must(must(made.Layers())[0].Compressed())))
	if !bytes.HasPrefix(packed, []byte{0x28, 0xb5, 0x2f, 0xfd}) {
		t.Fatalf("the layer begins with % x", packed[:4])
	}
	dir := t.TempDir()
	at := must(layout.Write(filepath.Join(dir, "layout"), empty.Index))
	if err := at.AppendImage(made, layout.WithAnnotations(map[string]string{"io.containerd.image.name": "docker.io/shop/web:v1"})); err != nil {
		t.Fatal(err)
	}
	var collected string
	var images []Packed
	for kind, shelf := range map[string]string{"a layout": dir, "an archive": zipped(t, filepath.Join(dir, "layout"))} {
		finder := must(New(Options{Shelves: []Shelf{archive.New(shelf)}}))
		collected, images = collect(t, Collector{Finder: finder, Platforms: []string{"linux/amd64"}}, nil, "shop/web:v1")
		if images[0].Digest != digest || len(images[0].Blobs) != 3 {
			t.Errorf("from %s, %s was gathered, not %s: %v", kind, images[0].Digest, digest, images[0].Blobs)
		}
	}
	to := newForge(t)
	saved := &bytes.Buffer{}
	for _, r := range []Received{
		{Dir: filepath.Join(t.TempDir(), "one"), Push: must(New(Options{})).Pusher(to.url).Push},
		{Dir: filepath.Join(t.TempDir(), "two"), Platform: "linux/amd64", Hand: func(ctx context.Context, _ string, offer *Offer) error { return offer.Save(ctx, saved, 0, nil) }},
	} {
		again := filepath.Join(t.TempDir(), "layout")
		if err := os.CopyFS(again, os.DirFS(collected)); err != nil {
			t.Fatal(err)
		}
		if err := r.Load(t.Context(), again, images); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Contains(saved.Bytes(), packed) || !strings.Contains(saved.String(), "blobs/sha256/"+layer[len("sha256:"):]) {
		t.Error("the engine's archive lacks the layer as it is")
	}
	there := must(remote.Image(must(name.NewDigest(strings.TrimPrefix(to.url, "http://") + "/shop/web@" + digest))))
	got := must(io.ReadAll(must(must(there.Layers())[0].Compressed())))
	if !bytes.Equal(got, packed) || must(must(there.Layers())[0].MediaType()) != types.OCILayerZStd {
		t.Errorf("the registry has %d bytes of the layer", len(got))
	}
}
