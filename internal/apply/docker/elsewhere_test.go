package docker

import (
	"context"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/image"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	finder "syncd.io/syncd/internal/image"
	"syncd.io/syncd/internal/image/archive"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// finding fits a finder to an engine, as the agent does.
type finding struct{ *finder.Finder }

func (f finding) Offers(ctx context.Context, name, id, platform string) iter.Seq2[Offer, error] {
	return func(yield func(Offer, error) bool) {
		for offer, err := range f.Finder.Offers(ctx, finder.Wanted{Name: name, ID: id, Platform: platform}) {
			if !yield(offer, err) {
				return
			}
		}
	}
}

// looksIn lets the fixture's engine look where options say.
func (f *fixture) looksIn(opts finder.Options) {
	f.Helper()
	all, err := finder.New(opts)
	if err != nil {
		f.Fatal(err)
	}
	f.engine.opts.Elsewhere = finding{all}
}

// mirrors lets the fixture's engine ask mirrors of one registry.
func (f *fixture) mirrors(of string, m config.RegistryMirror) {
	f.Helper()
	f.looksIn(finder.Options{Registries: config.Registries{Mirrors: map[string]config.RegistryMirror{of: m}}})
}

// mirror is a registry that counts what is asked of it, and may lie about blobs.
type mirror struct {
	address string
	lies    atomic.Bool
	layers  atomic.Int64
	asked   atomic.Int64
}

func newMirror(t testing.TB) *mirror {
	t.Helper()
	m, store := &mirror{}, registry.New(registry.Logger(discard()))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.asked.Add(1)
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
			m.layers.Add(1)
			if m.lies.Load() {
				truth := httptest.NewRecorder()
				store.ServeHTTP(truth, r)
				raw := truth.Body.Bytes()
				raw[len(raw)-1] ^= 1
				_, _ = w.Write(raw)
				return
			}
		}
		store.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	m.address = strings.TrimPrefix(server.URL, "http://")
	return m
}

// nowhereland is a registry that nobody has.
const nowhereland = "registry.invalid"

// pinned pins one image, and returns what it was pinned to.
func (f *fixture) pinned(ref string, change func(*spec.Container)) (spec.Container, error) {
	f.Helper()
	c := spec.Container{Name: "web", Project: f.project, Service: "web", Number: 1, Image: ref}
	if change != nil {
		change(&c)
	}
	out, missing, err := f.target.Pin(f.ctx, []resource.Object{f.object(slotKey("web", "1"), "web", c)}, true)
	if err != nil {
		return spec.Container{}, err
	}
	if len(missing) > 0 {
		f.Errorf("missing %v", missing)
	}
	c, err = decode[spec.Container](out[0])
	if err != nil {
		f.Fatal(err)
	}
	return c, nil
}

// forget removes an image with all its names when the test ends.
func (f *fixture) forget(id string) {
	f.Cleanup(func() {
		_, err := f.api.ImageRemove(context.WithoutCancel(f.ctx), id, image.RemoveOptions{Force: true, PruneChildren: true})
		f.Log("clean up:", err)
	})
}

func TestImageComesFromAMirrorUnderItsOwnName(t *testing.T) {
	f := newFixture(t)
	dockerConfig(t)
	m, repo := newMirror(t), dockertest.Name()
	at := m.address + "/hub/" + repo + ":v1"
	dockertest.ImageNamed(t, at)
	id := dockertest.ImageID(t, at)
	f.push(at)
	f.mirrors(nowhereland, config.RegistryMirror{Endpoint: []string{"http://127.0.0.1:1", "http://" + m.address}, Rewrite: map[string]string{"^shop/(.*)": "hub/$1"}})
	var heard []string
	f.engine.opts.Ignored = func(err error) { heard = append(heard, err.Error()) }

	ref := nowhereland + "/shop/" + repo + ":v1"
	c, err := f.pinned(ref, nil)
	if err != nil {
		t.Fatal(err)
	}
	f.forget(id)
	if c.Pin != id || !strings.HasPrefix(c.Digest, nowhereland+"/shop/"+repo+"@sha256:") {
		t.Errorf("pinned to %s, digest %s; want %s", c.Pin, c.Digest, id)
	}
	if len(heard) != 1 || !strings.Contains(heard[0], "mirror http://127.0.0.1:1: ") {
		t.Errorf("of the mirror that is down one hears %q", heard)
	}
	in, err := f.engine.inspectImage(f.ctx, ref)
	if err != nil || in.ID != id {
		t.Errorf("by its name: %s, %v", in.ID, err)
	}
	asked := m.asked.Load()
	again, err := f.pinned(ref, nil)
	if err != nil || again.Pin != c.Pin || again.Digest != c.Digest {
		t.Errorf("pinned anew: %s %s, %v", again.Pin, again.Digest, err)
	}
	byDigest, err := f.pinned(c.Digest, nil)
	if err != nil || byDigest.Pin != c.Pin || byDigest.Digest != c.Digest {
		t.Errorf("by its digest: %s %s, %v", byDigest.Pin, byDigest.Digest, err)
	}
	if m.asked.Load() != asked {
		t.Error("an image that is here was asked for")
	}

	straight, err := f.pinned(at, func(w *spec.Container) { w.PullPolicy = "always" })
	if _, digest, _ := strings.Cut(c.Digest, "@"); err != nil || straight.Pin != c.Pin || !strings.HasSuffix(straight.Digest, "@"+digest) {
		t.Errorf("pulled by the engine: %s %s, %v", straight.Pin, straight.Digest, err)
	}
	if _, err := f.api.ImageRemove(f.ctx, at, image.RemoveOptions{}); err != nil { // its name only
		t.Fatal(err)
	}

	running := f.put(f.container(ref, "web", 1, func(w *spec.Container) { w.Pin, w.Digest = c.Pin, c.Digest }))
	if in := f.inspect(running.ID); in.Image != id || in.Config.Image != ref {
		t.Errorf("it runs %s as %s", in.Image, in.Config.Image)
	}
	f.removeAll(slotKey("web", "1"))
	removed, err := f.engine.PruneImages(f.ctx, nil, []string{id})
	if err != nil || !slices.Equal(removed, []string{id}) {
		t.Fatalf("removed %v, %v", removed, err)
	}
	back, err := f.pinned(ref, func(w *spec.Container) { w.Pin, w.Digest = c.Pin, c.Digest })
	if err != nil || back.Pin != c.Pin || back.Digest != c.Digest {
		t.Errorf("what was pinned and is gone: %s %s, %v", back.Pin, back.Digest, err)
	}
}

// Of an image that shares its lowest layers with one that is here, only the others
// are fetched.
func TestLayersThatAreHereAreNotFetched(t *testing.T) {
	f := newFixture(t)
	dockerConfig(t)
	m, repo := newMirror(t), dockertest.Name()
	first, second := m.address+"/hub/"+repo+":v1", m.address+"/hub/"+repo+":v2"
	for ref, lines := range map[string][]string{first: nil, second: {"COPY app /more"}} {
		dockertest.ImageNamed(t, ref, lines...)
	}
	id := dockertest.ImageID(t, second)
	f.push(first)
	f.push(second)
	f.mirrors(nowhereland, config.RegistryMirror{Endpoint: []string{"http://" + m.address}, Rewrite: map[string]string{"^shop/": "hub/"}})
	dockertest.ImageNamed(t, first) // a base that is here
	if _, err := f.engine.inspectImage(f.ctx, first); err != nil {
		t.Fatal(err)
	}
	c, err := f.pinned(nowhereland+"/shop/"+repo+":v2", nil)
	if err != nil || c.Pin != id {
		t.Fatalf("pinned to %s, %v", c.Pin, err)
	}
	f.forget(id)
	if n := m.layers.Load(); n != 2 { // the configuration, and one layer of two
		t.Errorf("%d blobs were fetched, want 2", n)
	}
}

func TestMirrorsThatHaveNothingAreToldApart(t *testing.T) {
	f := newFixture(t)
	dockerConfig(t)
	answers := func(status int) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/v2/" {
				w.WriteHeader(status)
			}
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	absent, shut, down := answers(http.StatusNotFound), answers(http.StatusForbidden), "http://127.0.0.1:1"
	for _, c := range []struct {
		endpoints []string
		class     fault.Class
		says      string
	}{
		{[]string{absent}, fault.Unreachable, "asked for again for 5m0s"},
		{[]string{shut, absent}, fault.Blocked, "403"},
		{[]string{down, absent}, fault.Unreachable, "connection refused"},
		{[]string{answers(http.StatusTooManyRequests)}, fault.Unreachable, "429"},
		{[]string{answers(http.StatusInternalServerError), shut}, fault.Unreachable, "500"},
	} {
		no := false
		f.mirrors(nowhereland, config.RegistryMirror{Endpoint: c.endpoints, Fallback: &no})
		_, err := f.pinned(nowhereland+"/"+dockertest.Name()+":v1", nil)
		if fault.Of(err) != c.class || !strings.Contains(err.Error(), c.says) || fault.Advice(err) == "" {
			t.Errorf("%v: class %v, hint %q: %v", c.endpoints, fault.Of(err), fault.Advice(err), err)
		}
		for _, address := range c.endpoints {
			if !strings.Contains(err.Error(), "mirror "+address+": ") {
				t.Errorf("%s is not named: %v", address, err)
			}
		}
	}
	f.engine.limits.absent = 0
	no := false
	f.mirrors(nowhereland, config.RegistryMirror{Endpoint: []string{absent}, Fallback: &no})
	if _, err := f.pinned(nowhereland+"/"+dockertest.Name()+":v1", nil); fault.Of(err) != fault.Rejected {
		t.Errorf("an image that stays away: class %v: %v", fault.Of(err), err)
	}
}

// What a mirror sends in an image's stead is never loaded: the mirror is named, and
// the next one is asked.
func TestMirrorThatLiesIsNamedAndTheNextIsAsked(t *testing.T) {
	f := newFixture(t)
	dockerConfig(t)
	liar, honest, repo := newMirror(t), newMirror(t), dockertest.Name()
	var id string
	for _, m := range []*mirror{honest, liar} {
		at := m.address + "/shop/" + repo + ":v1"
		if id == "" {
			dockertest.ImageNamed(t, at)
			id = dockertest.ImageID(t, at)
		} else if err := f.api.ImageTag(f.ctx, id, at); err != nil {
			t.Fatal(err)
		}
		stream, err := f.api.ImagePush(f.ctx, at, image.PushOptions{RegistryAuth: "e30="})
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(stream); err != nil || strings.Contains(string(text), `"error"`) {
			t.Fatalf("%s, %v", text, err)
		}
	}
	f.dropImage(id)
	liar.lies.Store(true)
	var heard []string
	f.engine.opts.Ignored = func(err error) { heard = append(heard, err.Error()) }
	no := false
	f.mirrors(nowhereland, config.RegistryMirror{Endpoint: []string{"http://" + liar.address}, Fallback: &no})
	_, err := f.pinned(nowhereland+"/shop/"+repo+":v1", nil)
	if fault.Of(err) != fault.Unreachable || !strings.Contains(err.Error(), "mirror http://"+liar.address+": ") || !strings.Contains(err.Error(), "does not have its digest") {
		t.Errorf("the liar alone: class %v: %v", fault.Of(err), err)
	}
	if _, err := f.engine.inspectImage(f.ctx, id); !cerrdefs.IsNotFound(err) {
		t.Errorf("the liar's image is here: %v", err)
	}
	f.mirrors(nowhereland, config.RegistryMirror{Endpoint: []string{"http://" + liar.address, "http://" + honest.address}, Fallback: &no})
	c, err := f.pinned(nowhereland+"/shop/"+repo+":v1", nil)
	if err != nil || c.Pin != id {
		t.Fatalf("pinned to %s, %v", c.Pin, err)
	}
	f.forget(id)
	if len(heard) != 1 || !strings.Contains(heard[0], liar.address) {
		t.Errorf("of the liar one hears %q", heard)
	}
}

// save writes what `docker save` does, and removes the images.
func (f *fixture) save(path string, refs ...string) {
	f.Helper()
	stream, err := f.api.ImageSave(f.ctx, refs)
	if err != nil {
		f.Fatal(err)
	}
	defer stream.Close()
	raw, err := io.ReadAll(stream)
	if err != nil {
		f.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		f.Fatal(err)
	}
	for _, ref := range refs {
		f.dropImage(ref)
	}
}

// An archive is looked into before any network, and gives the image that is wanted:
// its other tags move nothing.
func TestImageComesFromAnArchive(t *testing.T) {
	f, dir := newFixture(t), t.TempDir()
	dockerConfig(t)
	wanted, other := nowhereland+"/shop/"+dockertest.Name()+":v1", dockertest.Name()+":v1"
	dockertest.ImageNamed(t, wanted)
	dockertest.ImageNamed(t, other, "ENV OF=archive")
	id := dockertest.ImageID(t, wanted)
	f.save(filepath.Join(dir, "both.tar"), wanted, other)
	dockertest.ImageNamed(t, other, "ENV OF=engine")
	keep := dockertest.ImageID(t, other)
	f.looksIn(finder.Options{Shelves: []finder.Shelf{archive.New(dir)}})

	c, err := f.pinned(wanted, nil)
	if err != nil || c.Pin != id || c.Digest != "" {
		t.Fatalf("pinned to %s, digest %q, %v; want %s", c.Pin, c.Digest, err, id)
	}
	f.forget(id)
	if now := dockertest.ImageID(t, other); now != keep {
		t.Error("another tag of the archive was moved")
	}
	f.dropImage(id)
	back, err := f.pinned(wanted, func(w *spec.Container) { w.Pin = c.Pin })
	if err != nil || back.Pin != id {
		t.Errorf("what was pinned and is gone: %s, %v", back.Pin, err)
	}
	if _, err := f.engine.inspectImage(f.ctx, wanted); !cerrdefs.IsNotFound(err) {
		t.Errorf("its tag, which may mean something else by now: %v", err)
	}
	f.dropImage(id)
	if err := os.Remove(filepath.Join(dir, "both.tar")); err != nil {
		t.Fatal(err)
	}
	if _, err := f.pinned(wanted, func(w *spec.Container) { w.Pin = c.Pin }); fault.Of(err) != fault.Rejected || !strings.Contains(err.Error(), "is not here any more") {
		t.Errorf("without the archive: class %v: %v", fault.Of(err), err)
	}
}

// An image whose configuration names other layers than it has is nobody's fault but
// its own.
func TestImageThatIsBrokenIsRefused(t *testing.T) {
	f := newFixture(t)
	dockerConfig(t)
	m, repo := newMirror(t), dockertest.Name()
	img, err := random.Image(1<<10, 2)
	if err != nil {
		t.Fatal(err)
	}
	file, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", runtime.GOARCH
	ids := file.RootFS.DiffIDs
	ids[0], ids[1] = ids[1], ids[0]
	if img, err = mutate.ConfigFile(img, file); err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag(m.address + "/" + repo + ":v1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(tag, img); err != nil {
		t.Fatal(err)
	}
	no := false
	f.mirrors(nowhereland, config.RegistryMirror{Endpoint: []string{"http://" + m.address}, Fallback: &no})
	_, err = f.pinned(nowhereland+"/"+repo+":v1", nil)
	if fault.Of(err) != fault.Rejected || !strings.Contains(err.Error(), "invalid diffID") || fault.Advice(err) == "" {
		t.Errorf("class %v, hint %q: %v", fault.Of(err), fault.Advice(err), err)
	}
}
