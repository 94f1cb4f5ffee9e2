package image

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	ggcr "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/image/oci"
	"syncd.io/syncd/internal/image/registry"
	"syncd.io/syncd/internal/image/store"
)

// forge is a registry that counts blobs which are read or written.
type forge struct {
	url   string
	blobs atomic.Int64
	// shut answers no blobs of shop/api any more.
	shut atomic.Bool
}

func newForge(t *testing.T) *forge {
	t.Helper()
	f, store := &forge{}, ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/blobs/") && (r.Method == http.MethodGet || r.Method == http.MethodPut) {
			f.blobs.Add(1)
			if f.shut.Load() && strings.Contains(r.URL.Path, "/shop/api/") {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
		}
		store.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

// has puts an image into the registry.
func (f *forge) has(t *testing.T, repo string, what remote.Taggable) string {
	t.Helper()
	tag, err := name.NewTag(strings.TrimPrefix(f.url, "http://") + "/" + repo)
	if err != nil {
		t.Fatal(err)
	}
	switch it := what.(type) {
	case v1.ImageIndex:
		err = remote.WriteIndex(tag, it)
	case v1.Image:
		err = remote.Write(tag, it)
	}
	if err != nil {
		t.Fatal(err)
	}
	digest, err := what.(interface{ Digest() (v1.Hash, error) }).Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

func img(t *testing.T, base v1.Image, layers int64) v1.Image {
	t.Helper()
	out, err := random.Image(32<<10, layers)
	if err != nil {
		t.Fatal(err)
	}
	if base != nil {
		more, err := out.Layers()
		if err != nil {
			t.Fatal(err)
		}
		if out, err = mutate.AppendLayers(base, more...); err != nil {
			t.Fatal(err)
		}
	}
	file, err := out.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", "amd64"
	if out, err = mutate.ConfigFile(out, file); err != nil {
		t.Fatal(err)
	}
	return out
}

// collector gathers from a forge what is called registry.invalid/….
func (f *forge) collector(t *testing.T, platforms ...string) Collector {
	t.Helper()
	no := false
	finder, err := New(Options{Registries: config.Registries{Mirrors: map[string]config.RegistryMirror{"registry.invalid": {Endpoint: []string{f.url}, Fallback: &no}}}})
	if err != nil {
		t.Fatal(err)
	}
	return Collector{Finder: finder, Platforms: platforms}
}

func collect(t *testing.T, c Collector, held []string, names ...string) (string, []Packed) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "oci")
	images, err := c.Collect(t.Context(), names, func(d string) bool { return slices.Contains(held, d) }, dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir, images
}

func heldIn(t *testing.T, dir string) []string {
	t.Helper()
	held, err := store.Layout{Dir: dir}.Held()
	if err != nil {
		t.Fatal(err)
	}
	return held
}

var amd64 = ocispec.Platform{OS: "linux", Architecture: "amd64"}

const (
	web = "registry.invalid/shop/web:v1"
	api = "registry.invalid/shop/api:v1"
)

// The first pack has all, the second what is new; what both sides have then is
// enough for each image.
func TestSecondPackHasTheDifference(t *testing.T) {
	f := newForge(t)
	base := img(t, nil, 3)
	first := f.has(t, "shop/web:v1", base)
	c := f.collector(t, "linux/amd64")
	dir, images := collect(t, c, nil, web)
	if len(images) != 1 || images[0].Digest != first || len(images[0].Blobs) != 5 || len(heldIn(t, dir)) != 5 {
		t.Fatalf("gathered %+v, %d blobs", images, len(heldIn(t, dir)))
	}
	var handed []string
	r := Received{Dir: filepath.Join(t.TempDir(), "images"), Platform: "linux/amd64", Hand: func(ctx context.Context, name string, offer *Offer) error {
		handed = append(handed, name+" "+offer.Digest())
		return offer.Save(ctx, io.Discard, 0, nil)
	}}
	if err := r.Load(t.Context(), dir, images); err != nil {
		t.Fatal(err)
	}
	held, err := r.Held(t.Context())
	if err != nil || len(held) != 5 {
		t.Fatalf("%d blobs are held, %v", len(held), err)
	}

	second := f.has(t, "shop/web:v1", img(t, base, 1))
	more := f.has(t, "shop/api:v1", img(t, base, 1))
	dir, images = collect(t, c, held, web, api)
	if n := len(heldIn(t, dir)); n != 6 { // of each image its manifest, its configuration and one layer
		t.Errorf("the second pack has %d blobs, want 6", n)
	}
	if err := r.Load(t.Context(), dir, images); err != nil {
		t.Fatal(err)
	}
	if want := []string{web + " " + first, web + " " + second, api + " " + more}; !slices.Equal(handed, want) {
		t.Errorf("handed on %q, want %q", handed, want)
	}
	for ref, digest := range map[string]string{web: second, api: more} {
		parsed, err := oci.ParseRef(ref)
		if err != nil {
			t.Fatal(err)
		}
		found, from, ok, err := r.Shelf().Find(t.Context(), parsed, "", amd64)
		if err != nil || !ok || found.Top.Digest.String() != digest {
			t.Errorf("%s: %s, %t, %v", ref, found.Top.Digest, ok, err)
		} else if err := found.Save(t.Context(), io.Discard, from, oci.Saving{}); err != nil {
			t.Errorf("%s: %v", ref, err)
		}
	}
	if err := r.Load(t.Context(), filepath.Join(t.TempDir(), "nothing"), images); err != nil {
		t.Errorf("once more: %v", err)
	}
	if held, err = r.Held(t.Context()); err != nil || len(held) != 11 { // a pack that was made meanwhile may count on the first
		t.Errorf("%d blobs are held, %v", len(held), err)
	}

	dir, images = collect(t, c, held, api)
	if n := len(heldIn(t, dir)); n != 0 {
		t.Errorf("a pack without anything new has %d blobs", n)
	}
	if err := r.Load(t.Context(), dir, images); err != nil {
		t.Fatal(err)
	}
	if err := r.Load(t.Context(), dir, []Packed{images[0], images[0]}); err != nil { // another one yet
		t.Fatal(err)
	}
	if held, err = r.Held(t.Context()); err != nil || len(held) != 6 {
		t.Errorf("%d blobs are held of one image, %v", len(held), err)
	}
	if _, _, ok, err := r.Shelf().Find(t.Context(), ref(t, web), "", amd64); ok || err != nil {
		t.Errorf("what no pack that counts has: %t, %v", ok, err)
	}
}

// A pack that leaves out what is not here is refused, and spoils nothing.
func TestPackThatLeavesOutTooMuchIsRefused(t *testing.T) {
	f := newForge(t)
	f.has(t, "shop/web:v1", img(t, nil, 2))
	c := f.collector(t, "linux/amd64")
	dir, images := collect(t, c, nil, web)
	held := heldIn(t, dir)
	r := Received{Dir: filepath.Join(t.TempDir(), "images")}
	partly, images2 := collect(t, c, held[:1], web)
	if err := r.Load(t.Context(), partly, images2); fault.Of(err) != fault.Rejected || !strings.Contains(err.Error(), held[0]) || !strings.Contains(fault.Advice(err), "receipt") {
		t.Errorf("class %v, hint %q: %v", fault.Of(err), fault.Advice(err), err)
	}
	if err := r.Load(t.Context(), dir, images); err != nil {
		t.Errorf("a whole one: %v", err)
	}
	if _, _, ok, err := (Received{Dir: filepath.Join(t.TempDir(), "none")}).Shelf().Find(t.Context(), ref(t, web), "", amd64); ok || err != nil {
		t.Errorf("where nothing came yet: %t, %v", ok, err)
	}
}

// What a disk has lost is found out, and is not counted on any more.
func TestSpoiltBlobsAreFoundOut(t *testing.T) {
	f := newForge(t)
	base := img(t, nil, 2)
	f.has(t, "shop/web:v1", base)
	c := f.collector(t, "linux/amd64")
	dir, images := collect(t, c, nil, web)
	r := Received{Dir: filepath.Join(t.TempDir(), "images"), Platform: "linux/amd64", Hand: func(ctx context.Context, _ string, offer *Offer) error {
		return offer.Save(ctx, io.Discard, 0, nil)
	}}
	if err := r.Load(t.Context(), dir, images); err != nil {
		t.Fatal(err)
	}
	layers := must(base.Layers())
	lost := must(layers[1].Digest())
	path := filepath.Join(r.Dir, "blobs", "sha256", lost.Hex)
	raw := must(os.ReadFile(path))
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	f.has(t, "shop/web:v1", img(t, base, 1))
	dir, images = collect(t, c, must(r.Held(t.Context())), web)
	if err := r.Load(t.Context(), dir, images); fault.Of(err) != fault.Rejected || !strings.Contains(err.Error(), lost.String()) || fault.Advice(err) == "" {
		t.Errorf("class %v: %v", fault.Of(err), err)
	}
	held := must(r.Held(t.Context()))
	if slices.Contains(held, lost.String()) {
		t.Error("it is counted on still")
	}
	dir, images = collect(t, c, held, web)
	if err := r.Load(t.Context(), dir, images); err != nil {
		t.Errorf("a pack that brings it again: %v", err)
	}
}

// What was gathered before a registry broke off is not fetched again.
func TestGatheringGoesOnWhereItWasCut(t *testing.T) {
	f := newForge(t)
	f.has(t, "shop/web:v1", img(t, nil, 2))
	f.has(t, "shop/api:v1", img(t, nil, 2))
	c, dir := f.collector(t, "linux/amd64"), t.TempDir()
	if _, err := c.Collect(t.Context(), []string{web}, nil, dir); err != nil {
		t.Fatal(err)
	}
	f.shut.Store(true)
	if _, err := c.Collect(t.Context(), []string{web, api}, nil, dir); fault.Of(err) != fault.Unreachable || !strings.Contains(err.Error(), api) {
		t.Errorf("class %v: %v", fault.Of(err), err)
	}
	f.shut.Store(false)
	f.blobs.Store(0)
	if _, err := c.Collect(t.Context(), []string{web, api}, nil, dir); err != nil {
		t.Fatal(err)
	}
	if n := f.blobs.Load(); n != 4 { // two layers, and each configuration to choose by
		t.Errorf("%d blobs were fetched", n)
	}
	for _, e := range must(os.ReadDir(filepath.Join(dir, "blobs", "sha256"))) {
		if strings.HasPrefix(e.Name(), ".") {
			t.Errorf("%s was left behind", e.Name())
		}
	}
}

func TestImagesOfAllPlatformsAreGatheredAndPushed(t *testing.T) {
	f, to := newForge(t), newForge(t)
	var index v1.ImageIndex = empty.Index
	for _, arch := range []string{"amd64", "arm64"} {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img(t, nil, 1), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
	}
	digest := f.has(t, "shop/web:v1", index)
	all, images := collect(t, f.collector(t), nil, web)
	if images[0].Digest != digest || len(images[0].Blobs) != 7 {
		t.Errorf("gathered %+v", images)
	}
	one, images1 := collect(t, f.collector(t, "linux/arm64"), nil, web)
	if images1[0].Digest != digest || len(images1[0].Blobs) != 4 {
		t.Errorf("for one platform: %+v", images1)
	}

	push := func(dir string) error {
		at := store.Layout{Dir: dir}
		raw, err := at.Small(t.Context(), digest)
		if err != nil {
			t.Fatal(err)
		}
		r, err := registry.Dial(t.Context(), registry.Place{URL: to.url}, "shop/web", true)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		return r.Push(t.Context(), at, oci.Describe(raw), "v1")
	}
	if err := push(one); fault.Of(err) != fault.Rejected || !strings.Contains(fault.Advice(err), "all platforms") {
		t.Errorf("a part of it: class %v, hint %q: %v", fault.Of(err), fault.Advice(err), err)
	}
	if err := push(all); err != nil {
		t.Fatal(err)
	}
	to.blobs.Store(0)
	if err := push(all); err != nil || to.blobs.Load() != 0 {
		t.Errorf("once more: %v, %d blobs were sent", err, to.blobs.Load())
	}
	there := to.collector(t)
	if _, images := collect(t, there, nil, web); images[0].Digest != digest {
		t.Errorf("it came as %s", images[0].Digest)
	}
}

func TestImagesThatNobodyHas(t *testing.T) {
	f := newForge(t)
	_, err := f.collector(t).Collect(t.Context(), []string{web}, nil, t.TempDir())
	if fault.Of(err) != fault.Rejected || !strings.Contains(err.Error(), "gather image "+web) || !strings.Contains(err.Error(), "404") {
		t.Errorf("class %v: %v", fault.Of(err), err)
	}
	_, err = f.collector(t).Collect(t.Context(), []string{"Not An Image"}, nil, t.TempDir())
	if fault.Of(err) != fault.Rejected {
		t.Errorf("class %v: %v", fault.Of(err), err)
	}
}

func ref(t *testing.T, name string) oci.Ref {
	t.Helper()
	return must(oci.ParseRef(name))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// For a cluster, what packs bring goes into a registry as it is: an image that has the
// place of another one's is refused.
func TestImagesOfPacksArePushed(t *testing.T) {
	f, to := newForge(t), newForge(t)
	digest := f.has(t, "shop/web:v1", img(t, nil, 2))
	byDigest := f.has(t, "shop/api:v1", img(t, nil, 2))
	c := f.collector(t)
	names := []string{web, "registry.invalid/shop/api@" + byDigest}
	dir, images := collect(t, c, nil, names...)
	finder, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := Received{Dir: filepath.Join(t.TempDir(), "images"), Push: finder.Pusher(to.url).Push}
	if err := r.Load(t.Context(), dir, images); err != nil {
		t.Fatal(err)
	}
	to.blobs.Store(0)
	if err := r.Load(t.Context(), dir, images); err != nil || to.blobs.Load() != 0 {
		t.Errorf("once more: %v, %d blobs were sent", err, to.blobs.Load())
	}
	_, there := collect(t, to.collector(t), nil, names...)
	if there[0].Digest != digest || there[1].Digest != byDigest {
		t.Errorf("there are %+v", there)
	}
	_, err = to.collector(t).Collect(t.Context(), []string{api}, nil, t.TempDir())
	if fault.Of(err) != fault.Rejected {
		t.Errorf("a tag that nobody wrote is there: %v", err)
	}

	f.has(t, "shop/web:v1", img(t, nil, 1))
	other, err := New(Options{Registries: config.Registries{Mirrors: map[string]config.RegistryMirror{"*": {Endpoint: []string{f.url}}}}})
	if err != nil {
		t.Fatal(err)
	}
	dir, more := collect(t, Collector{Finder: other}, nil, "other.invalid/shop/web:v1")
	err = r.Load(t.Context(), dir, append(images, more...))
	if fault.Of(err) != fault.Rejected || !strings.Contains(err.Error(), web+" and other.invalid/shop/web:v1 have one place") {
		t.Errorf("class %v: %v", fault.Of(err), err)
	}
	gone := Received{Dir: r.Dir, Push: finder.Pusher("127.0.0.1:1").Push}
	if err := gone.Load(t.Context(), dir, images); fault.Of(err) != fault.Unreachable || !strings.Contains(err.Error(), "registry https://127.0.0.1:1: ") {
		t.Errorf("a registry that is not there: class %v: %v", fault.Of(err), err)
	}
}
