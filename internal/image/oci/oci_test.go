package oci

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"syncd.io/syncd/internal/fault"
)

// shelf has blobs by digest.
type shelf map[digest.Digest][]byte

// Open implements Blobs.
func (s shelf) Open(_ context.Context, d ocispec.Descriptor) (io.ReadCloser, error) {
	raw, ok := s[d.Digest]
	if !ok {
		return nil, ErrAbsent
	}
	return io.NopCloser(bytes.NewReader(raw)), nil
}

func (s shelf) put(raw []byte) ocispec.Descriptor {
	d := ocispec.Descriptor{Digest: digest.Digest(DigestOf(raw)), Size: int64(len(raw))}
	s[d.Digest] = raw
	return d
}

var amd64 = ocispec.Platform{OS: "linux", Architecture: "amd64"}

// image puts one of layers onto the shelf.
func (s shelf) image(t testing.TB, layers ...string) ocispec.Descriptor {
	t.Helper()
	cfg := ocispec.Image{Platform: amd64}
	m := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest}
	m.SchemaVersion = 2
	for _, text := range layers {
		cfg.RootFS.DiffIDs = append(cfg.RootFS.DiffIDs, digest.Digest(DigestOf([]byte(text))))
		m.Layers = append(m.Layers, s.put([]byte(text)))
	}
	m.Config = s.put(encode(t, cfg))
	return s.put(encode(t, m))
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestNamesAreReadAsDockerReadsThem(t *testing.T) {
	hex := strings.Repeat("0", 64)
	for text, want := range map[string]string{
		"nginx": "docker.io/library/nginx:latest", "nginx:1.27": "docker.io/library/nginx:1.27", "me/web": "docker.io/me/web:latest",
		"r.lan:5000/a/b:v1": "r.lan:5000/a/b:v1", "localhost/a": "localhost/a:latest", "index.docker.io/me/web:1": "docker.io/me/web:1",
		"nginx@sha256:" + hex: "docker.io/library/nginx@sha256:" + hex, "nginx:1.27@sha256:" + hex: "docker.io/library/nginx@sha256:" + hex,
		"Nginx": "", "a b": "", "": "", "nginx@sha256:0": "", "https://r.lan/a": "",
	} {
		ref, err := ParseRef(text)
		if want == "" {
			if fault.Of(err) != fault.Rejected {
				t.Errorf("%q is %s, %v", text, ref, err)
			}
		} else if err != nil || ref.String() != want {
			t.Errorf("%q is %s, %v; want %s", text, ref, err, want)
		}
	}
	for _, text := range []string{"linux/", "a/b/c/d", "//"} {
		if p, err := ParsePlatform(text); fault.Of(err) != fault.Rejected {
			t.Errorf("platform %q is %v, %v", text, p, err)
		}
	}
}

// names are the members of an archive.
func names(t *testing.T, raw []byte) []string {
	t.Helper()
	var out []string
	for r := tar.NewReader(bytes.NewReader(raw)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, h.Name)
	}
}

func TestSavedImage(t *testing.T) {
	s := shelf{}
	got, err := Resolve(t.Context(), s, s.image(t, "one", "two", "one"), amd64)
	if err != nil {
		t.Fatal(err)
	}
	blob := func(text string) string {
		return blobPath(ocispec.Descriptor{Digest: digest.Digest(DigestOf([]byte(text)))})
	}
	var all, upper bytes.Buffer
	var told []string
	if err := got.Save(t.Context(), &all, s, Saving{Told: func(layer string, done, total int64) { told = append(told, fmt.Sprint(layer, done, total)) }}); err != nil {
		t.Fatal(err)
	}
	members := names(t, all.Bytes())
	slices.Sort(members)
	if len(members) != 7 || len(slices.Compact(slices.Clone(members))) != 7 || !slices.Contains(members, blob("one")) || len(told) != 2 {
		t.Errorf("saved %q, told %q", members, told)
	}
	if err := got.Save(t.Context(), &upper, s, Saving{Skip: 1}); err != nil {
		t.Fatal(err)
	}
	if members := names(t, upper.Bytes()); !slices.Contains(members, blob("two")) || !slices.Contains(members, blob("one")) { // the third is the first again
		t.Errorf("without the lowest: %q", members)
	}
	for what, raw := range map[string]string{"other": "TWO", "longer": "two and more", "shorter": "t"} {
		bad := shelf{}
		for d, b := range s {
			bad[d] = b
		}
		bad[digest.Digest(DigestOf([]byte("two")))] = []byte(raw)
		if err := got.Save(t.Context(), io.Discard, bad, Saving{}); !errors.Is(err, ErrOther) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestWalkTellsAllThatAnImageIsMadeOf(t *testing.T) {
	s := shelf{}
	one, two := s.image(t, "one"), s.image(t, "one", "two")
	one.MediaType, two.MediaType = ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageManifest
	one.Platform, two.Platform = &amd64, &ocispec.Platform{OS: "linux", Architecture: "arm64"}
	index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{one, two}}
	index.SchemaVersion = 2
	top := s.put(encode(t, index))
	for _, c := range []struct {
		platforms []ocispec.Platform
		want      int
	}{{nil, 8}, {[]ocispec.Platform{amd64}, 4}, {[]ocispec.Platform{amd64, amd64}, 4}, {[]ocispec.Platform{amd64, *two.Platform}, 8}} {
		var got []ocispec.Descriptor
		if err := Walk(t.Context(), s, top, c.platforms, func(d ocispec.Descriptor) error { got = append(got, d); return nil }); err != nil {
			t.Fatal(err)
		}
		if len(got) != c.want || got[len(got)-1].Digest != top.Digest {
			t.Errorf("%v: %d blobs, want %d", c.platforms, len(got), c.want)
		}
	}
	nested := ocispec.Index{Manifests: []ocispec.Descriptor{top}}
	nested.SchemaVersion = 2
	if err := Walk(t.Context(), s, s.put(encode(t, nested)), nil, func(ocispec.Descriptor) error { return nil }); fault.Of(err) != fault.Rejected {
		t.Errorf("an index in an index: %v", err)
	}
}

func FuzzResolve(f *testing.F) {
	s := shelf{}
	f.Add(s[s.image(f, "one").Digest])
	f.Add([]byte(`{"schemaVersion":2,"manifests":[{"digest":"sha256:0","platform":{"os":"linux","architecture":"arm","variant":""}}]}`))
	f.Add([]byte(`{"schemaVersion":2,"config":{"digest":""},"layers":[null]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		all := shelf{}
		for d, b := range s {
			all[d] = b
		}
		top := all.put(raw)
		for _, p := range []ocispec.Platform{amd64, {OS: "linux", Architecture: "arm", Variant: "v7"}} {
			if got, err := Resolve(t.Context(), all, top, p); err == nil {
				_ = got.Save(t.Context(), io.Discard, all, Saving{})
			}
			_ = Walk(t.Context(), all, top, []ocispec.Platform{p}, func(ocispec.Descriptor) error { return nil })
		}
	})
}
