package registry

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	ggcr "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/image/oci"
)

const layerSize = 1 << 20

// server is a real registry behind a handler that may do otherwise.
type server struct {
	*httptest.Server
	store http.Handler

	mu    sync.Mutex
	seen  []*http.Request
	first http.HandlerFunc
}

// serve starts one; tls tells how. What first answers, the registry does not.
func serve(t *testing.T, secure bool, first http.HandlerFunc) *server {
	t.Helper()
	s := &server{store: ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0))), first: first}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen = append(s.seen, r.Clone(context.WithoutCancel(r.Context())))
		first := s.first
		s.mu.Unlock()
		answer := &answered1{ResponseWriter: w}
		if first != nil {
			first(answer, r)
		}
		if !answer.done {
			s.store.ServeHTTP(w, r)
		}
	})
	s.Server = httptest.NewUnstartedServer(handler)
	s.Server.Config.ErrorLog = log.New(io.Discard, "", 0)
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

// answered1 knows whether somebody has answered.
type answered1 struct {
	http.ResponseWriter
	done bool
}

func (a *answered1) WriteHeader(status int) { a.done = true; a.ResponseWriter.WriteHeader(status) }
func (a *answered1) Write(p []byte) (int, error) {
	a.done = true
	return a.ResponseWriter.Write(p)
}

func (s *server) instead(first http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.first, s.seen = first, nil
}

func (s *server) requests() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

func (s *server) host() string {
	_, host, _ := strings.Cut(s.URL, "://")
	return host
}

// has puts an image into the registry, past what answers first.
func (s *server) has(t *testing.T, repo string, what remote.Taggable) {
	t.Helper()
	direct := httptest.NewServer(s.store)
	defer direct.Close()
	_, host, _ := strings.Cut(direct.URL, "://")
	tag, err := name.NewTag(host + "/" + repo)
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
}

func image(t *testing.T) v1.Image {
	t.Helper()
	img, err := random.Image(layerSize, 2)
	if err != nil {
		t.Fatal(err)
	}
	file, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", "amd64"
	if img, err = mutate.ConfigFile(img, file); err != nil {
		t.Fatal(err)
	}
	return img
}

// index is of one image for each platform.
func index(t *testing.T, platforms ...v1.Platform) v1.ImageIndex {
	t.Helper()
	var out v1.ImageIndex = empty.Index
	for _, p := range platforms {
		out = mutate.AppendManifests(out, mutate.IndexAddendum{Add: image(t), Descriptor: v1.Descriptor{Platform: &p}})
	}
	return out
}

var amd64 = ocispec.Platform{OS: "linux", Architecture: "amd64"}

// fetch resolves a tag, and reads the image whole.
func fetch(t *testing.T, p Place, repo, which string) (oci.Image, error) {
	t.Helper()
	return fetchAs(t, p, repo, which, amd64)
}

func fetchAs(t *testing.T, p Place, repo, which string, platform ocispec.Platform) (oci.Image, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := Dial(ctx, p, repo, false)
	if err != nil {
		return oci.Image{}, err
	}
	defer r.Close()
	found, err := r.Resolve(ctx, which, platform)
	if err != nil {
		return oci.Image{}, err
	}
	return found, found.Save(ctx, io.Discard, r, oci.Saving{})
}

func TestImageIsReadWhole(t *testing.T) {
	s, img := serve(t, false, nil), image(t)
	s.has(t, "shop/web:v1", img)
	got, err := fetch(t, Place{URL: s.URL}, "shop/web", "v1")
	if err != nil {
		t.Fatal(err)
	}
	want, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if id, err := img.ConfigName(); err != nil || got.Top.Digest.String() != want.String() || got.ID() != id.String() {
		t.Errorf("digest %s, ID %s; want %s, %s (%v)", got.Top.Digest, got.ID(), want, id, err)
	}
	if _, err := fetch(t, Place{URL: s.URL}, "shop/web", want.String()); err != nil {
		t.Errorf("by its digest: %v", err)
	}
	below := s.URL + "/v2/shop"
	if _, err := fetch(t, Place{URL: below}, "web", "v1"); err != nil {
		t.Errorf("below a prefix: %v", err)
	}
}

func TestMirrorHearsWhoseImageIsMeant(t *testing.T) {
	s := serve(t, false, nil)
	s.has(t, "library/web:v1", image(t))
	s.instead(nil)
	if _, err := fetch(t, Place{URL: s.URL, Serves: "docker.io"}, "library/web", "v1"); err != nil {
		t.Fatal(err)
	}
	for _, r := range s.requests() {
		if ns := r.URL.Query().Get("ns"); r.URL.Path != "/v2/" && ns != "docker.io" {
			t.Errorf("%s says ns=%q", r.URL, ns)
		}
	}
}

func TestPlatformsOfAnIndex(t *testing.T) {
	s := serve(t, false, nil)
	s.has(t, "web:v1", index(t, v1.Platform{OS: "linux", Architecture: "amd64"}, v1.Platform{OS: "linux", Architecture: "arm", Variant: "v6"},
		v1.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}, v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}, v1.Platform{OS: "unknown", Architecture: "unknown"}))
	digests := map[string]string{}
	for _, text := range []string{"linux/amd64", "linux/arm/v6", "linux/arm/v7", "linux/arm/v8", "linux/arm", "linux/arm64"} {
		p, err := oci.ParsePlatform(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := fetchAs(t, Place{URL: s.URL}, "web", "v1", p)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		digests[text] = got.Manifest.Digest.String()
	}
	if digests["linux/arm/v8"] != digests["linux/arm/v7"] || digests["linux/arm"] != digests["linux/arm/v7"] || digests["linux/arm/v6"] == digests["linux/arm/v7"] || digests["linux/arm64"] == digests["linux/amd64"] {
		t.Errorf("chosen: %v", digests)
	}
	_, err := fetchAs(t, Place{URL: s.URL}, "web", "v1", ocispec.Platform{OS: "linux", Architecture: "riscv64"})
	if fault.Of(err) != fault.Rejected || !strings.Contains(err.Error(), "not made for linux/riscv64, only for: linux/amd64, linux/arm/v6") {
		t.Errorf("none for the platform: class %v: %v", fault.Of(err), err)
	}
}

// Whatever else a registry answers is told apart, and says what it was.
func TestAnswersAreToldApart(t *testing.T) {
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	manifest := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/manifests/") {
				fmt.Fprint(w, text)
			}
		}
	}
	for what, c := range map[string]struct {
		first http.HandlerFunc
		class fault.Class
		says  string
	}{
		"401":          {status(401), fault.Blocked, "401 Unauthorized"},
		"403":          {status(403), fault.Blocked, "403 Forbidden"},
		"404":          {nil, fault.Unknown, "404 Not Found"},
		"429":          {status(429), fault.Unreachable, "429 Too Many Requests"},
		"500":          {status(500), fault.Unreachable, "500 Internal Server Error"},
		"503":          {status(503), fault.Unreachable, "503"},
		"418":          {status(418), fault.Rejected, "418"},
		"no JSON":      {manifest("hello"), fault.Rejected, "cannot be read"},
		"schema 1":     {manifest(`{"schemaVersion":1}`), fault.Rejected, "schema version 1"},
		"both":         {manifest(`{"schemaVersion":2,"manifests":[],"config":{}}`), fault.Rejected, "index and a manifest at once"},
		"neither":      {manifest(`{"schemaVersion":2}`), fault.Rejected, "none of an image"},
		"no digest":    {manifest(`{"schemaVersion":2,"config":{"digest":"../../etc/passwd"}}`), fault.Rejected, "a digest that is none"},
		"other digest": {manifest(`{"schemaVersion":2,"layers":[{"digest":"md5:00"}]}`), fault.Rejected, "a digest that is none"},
		"huge":         {manifest(strings.Repeat(" ", oci.MaxManifest+1)), fault.Rejected, "more than 4 MiB"},
		"cut": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(200)
			panic(http.ErrAbortHandler)
		}, fault.Unreachable, "EOF"},
	} {
		s := serve(t, false, c.first)
		_, err := fetch(t, Place{URL: s.URL}, "shop/web", "v1")
		if err == nil || fault.Of(err) != c.class || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: class %v: %v", what, fault.Of(err), err)
		}
		if absent := what == "404"; errors.Is(err, oci.ErrAbsent) != absent {
			t.Errorf("%s: absent is %v", what, !absent)
		}
	}
	gone := serve(t, false, nil)
	gone.Close()
	if _, err := fetch(t, Place{URL: gone.URL}, "web", "v1"); fault.Of(err) != fault.Unreachable || strings.Count(err.Error(), "refused") != 1 {
		t.Errorf("nobody there: class %v: %v", fault.Of(err), err)
	}
}

func TestRegistryThatHangsIsLeft(t *testing.T) {
	s := serve(t, false, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/manifests/") {
			w.WriteHeader(200)
			<-r.Context().Done()
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	r, err := Dial(ctx, Place{URL: s.URL}, "web", false)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.Resolve(ctx, "v1", amd64); fault.Of(err) != fault.Unreachable {
		t.Errorf("class %v: %v", fault.Of(err), err)
	}
}

// A mirror that sends other bytes than it was asked for is found out at each step.
func TestMirrorThatLiesIsRefused(t *testing.T) {
	for _, part := range []string{"/manifests/sha256:", "/blobs/"} {
		s, img := serve(t, false, nil), image(t)
		s.has(t, "web:v1", img)
		s.instead(func(w http.ResponseWriter, r *http.Request) {
			if !strings.Contains(r.URL.Path, part) {
				return
			}
			truth := httptest.NewRecorder()
			s.store.ServeHTTP(truth, r)
			raw := truth.Body.Bytes()
			raw[len(raw)/2] ^= 1
			if _, err := w.Write(raw); err != nil {
				t.Error(err)
			}
		})
		want, err := img.Digest()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fetch(t, Place{URL: s.URL}, "web", want.String()); !errors.Is(err, oci.ErrOther) {
			t.Errorf("%s: %v", part, err)
		}
	}
}

// A blob that breaks off is read on from there, whether the registry knows ranges or
// not; one that always breaks off at once is given up.
func TestBrokenBlobIsReadOn(t *testing.T) {
	for what, ranges := range map[string]bool{"with ranges": true, "without": false} {
		s := serve(t, false, nil)
		s.has(t, "web:v1", image(t))
		var mu sync.Mutex
		broken := map[string]int{}
		s.instead(func(w http.ResponseWriter, r *http.Request) {
			if !ranges {
				r.Header.Del("Range")
			}
			mu.Lock()
			defer mu.Unlock()
			if broken[r.URL.Path]++; !strings.Contains(r.URL.Path, "/blobs/") || broken[r.URL.Path] > 1 {
				return
			}
			truth := httptest.NewRecorder()
			s.store.ServeHTTP(truth, r)
			w.Header().Set("Content-Length", fmt.Sprint(truth.Body.Len()))
			if _, err := w.Write(truth.Body.Bytes()[:truth.Body.Len()/2]); err != nil {
				t.Error(err)
			}
			panic(http.ErrAbortHandler)
		})
		if _, err := fetch(t, Place{URL: s.URL}, "web", "v1"); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if n := len(broken); n < 4 {
			t.Errorf("%s: %d things were asked for", what, n)
		}
	}
}

func secret(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// as logs in with a password from a file.
func as(user, file string) func(context.Context, string) (Login, error) {
	return func(context.Context, string) (Login, error) {
		password, err := ReadPassword(file)
		return Login{Username: user, Password: password}, err
	}
}

// A login goes to the registry that it is for, and not to where that leads.
func TestLoginStaysWithItsRegistry(t *testing.T) {
	other := serve(t, false, nil)
	s := serve(t, false, nil)
	img := image(t)
	s.has(t, "web:v1", img)
	other.has(t, "web:v1", img)
	other.instead(nil)
	s.instead(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		switch {
		case user != "joe" || password != "s3cret-word":
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			w.WriteHeader(http.StatusUnauthorized)
		case strings.Contains(r.URL.Path, "/blobs/"):
			http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
		}
	})
	file := secret(t, "s3cret-word\n")
	if _, err := fetch(t, Place{URL: s.URL, Login: as("joe", file)}, "web", "v1"); err != nil {
		t.Fatal(err)
	}
	if len(other.requests()) == 0 {
		t.Error("nobody was sent to the other host")
	}
	for _, r := range other.requests() {
		if r.Header.Get("Authorization") != "" {
			t.Errorf("%s carries a login", r.URL)
		}
	}
	if err := os.WriteFile(file, []byte("wr0ng-word"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := fetch(t, Place{URL: s.URL, Login: as("joe", file)}, "web", "v1")
	if fault.Of(err) != fault.Blocked || strings.Contains(fmt.Sprintf("%+v", err), "wr0ng-word") {
		t.Errorf("with another password: class %v: %v", fault.Of(err), err)
	}
}

func TestTokensAreFetched(t *testing.T) {
	s := serve(t, false, nil)
	s.has(t, "web:v1", image(t))
	s.instead(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			if user, password, _ := r.BasicAuth(); user != "joe" || password != "s3cret-word" || r.URL.Query().Get("scope") != "repository:web:pull" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			if err := json.NewEncoder(w).Encode(map[string]string{"token": "t0ken"}); err != nil {
				t.Error(err)
			}
			return
		}
		if r.Header.Get("Authorization") != "Bearer t0ken" {
			w.Header().Set("WWW-Authenticate", `Bearer realm="`+s.URL+`/token",service="test"`)
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	if _, err := fetch(t, Place{URL: s.URL, Login: as("joe", secret(t, "s3cret-word"))}, "web", "v1"); err != nil {
		t.Error(err)
	}
	_, err := fetch(t, Place{URL: s.URL, Login: as("joe", secret(t, "wr0ng-word"))}, "web", "v1")
	if fault.Of(err) != fault.Blocked || strings.Contains(err.Error(), "wr0ng-word") {
		t.Errorf("with a wrong password: class %v: %v", fault.Of(err), err)
	}
}

func TestCertificates(t *testing.T) {
	s := serve(t, true, nil)
	s.has(t, "web:v1", image(t))
	authority := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	ca := secret(t, authority)
	if _, err := fetch(t, Place{URL: s.URL, CAFile: ca}, "web", "v1"); err != nil {
		t.Errorf("with its authority: %v", err)
	}
	bundle := secret(t, strings.Repeat("# another authority\n", 10_000)+authority)
	if _, err := fetch(t, Place{URL: s.URL, CAFile: bundle}, "web", "v1"); err != nil {
		t.Errorf("with a bundle as systems keep it: %v", err)
	}
	if _, err := fetch(t, Place{URL: s.URL, SkipVerify: true}, "web", "v1"); err != nil {
		t.Errorf("trusting whoever answers: %v", err)
	}
	_, err := fetch(t, Place{URL: s.URL}, "web", "v1")
	if fault.Of(err) != fault.Unreachable || !strings.Contains(err.Error(), "unknown authority") || !strings.Contains(fault.Advice(err), "registries.configs."+s.host()+".tls.caFile") {
		t.Errorf("without: class %v, hint %q: %v", fault.Of(err), fault.Advice(err), err)
	}
	for what, p := range map[string]Place{
		"no PEM":  {URL: s.URL, CAFile: secret(t, "nothing")},
		"no file": {URL: s.URL, CAFile: "/nonexistent/ca.pem"},
		"no key":  {URL: s.URL, CertFile: ca, KeyFile: "/nonexistent/key.pem"},
	} {
		if _, err := fetch(t, p, "web", "v1"); fault.Of(err) != fault.Blocked {
			t.Errorf("%s: class %v: %v", what, fault.Of(err), err)
		}
	}
}

func TestClientCertificateIsShown(t *testing.T) {
	s := serve(t, false, nil)
	s.has(t, "web:v1", image(t))
	secure := httptest.NewUnstartedServer(s.Config.Handler)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert} //nolint:gosec // a test's own
	secure.StartTLS()
	t.Cleanup(secure.Close)
	cert, key := clientCertificate(t)
	if _, err := fetch(t, Place{URL: secure.URL, SkipVerify: true, CertFile: cert, KeyFile: key}, "web", "v1"); err != nil {
		t.Errorf("with one: %v", err)
	}
	if _, err := fetch(t, Place{URL: secure.URL, SkipVerify: true}, "web", "v1"); fault.Of(err) != fault.Unreachable {
		t.Errorf("without: class %v: %v", fault.Of(err), err)
	}
}

// Plain HTTP is for addresses that say so: neither this machine's own addresses nor a
// redirect are a reason.
func TestPlainHTTPIsOnlyUsedWhereTheAddressSaysSo(t *testing.T) {
	plain := serve(t, false, nil)
	plain.has(t, "web:v1", image(t))
	plain.instead(nil)
	if _, err := fetch(t, Place{URL: "https://" + plain.host()}, "web", "v1"); fault.Of(err) != fault.Unreachable {
		t.Errorf("https to a plain server: class %v: %v", fault.Of(err), err)
	}
	if n := len(plain.requests()); n != 0 {
		t.Errorf("%d requests were made in the clear", n)
	}
	s := serve(t, true, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/manifests/") {
			http.Redirect(w, r, plain.URL+r.URL.Path, http.StatusTemporaryRedirect)
		}
	})
	_, err := fetch(t, Place{URL: s.URL, SkipVerify: true}, "web", "v1")
	if fault.Of(err) != fault.Unreachable || !strings.Contains(err.Error(), "plain http is used for") || len(plain.requests()) != 0 {
		t.Errorf("a redirect: class %v: %v", fault.Of(err), err)
	}
}

func TestAddressesThatAreNone(t *testing.T) {
	for _, address := range []string{"", "registry.lan", "ftp://registry.lan", "https://", "https://joe:s3cret@registry.lan", "https://registry.lan/mirror"} {
		_, err := Dial(t.Context(), Place{URL: address}, "web", false)
		if fault.Of(err) != fault.Blocked || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: class %v: %v", address, fault.Of(err), err)
		}
	}
}
