package chart_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/pem"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render/kube/helm/reference"
	"syncd.io/syncd/internal/sandbox"
	"syncd.io/syncd/internal/source/chart"
	"syncd.io/syncd/internal/source/chart/pull"
)

// The test binary is its own child.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == chart.Op {
		ops := map[string]sandbox.Op{chart.Op: sandbox.Handle(pull.Fetch)}
		os.Exit(sandbox.Serve(context.Background(), ops, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func options(t *testing.T) chart.Options {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	memory := config.Limits{FetchMemory: 8 << 30} // the race detector takes several times what the child needs
	return chart.Options{Dir: filepath.Join(t.TempDir(), "charts"), Limits: memory, Sandbox: sandbox.Child{Path: self}}
}

// packed is a chart as helm package makes it.
func packed(t *testing.T, name, version string) []byte {
	t.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	pack := tar.NewWriter(zip)
	for file, text := range map[string]string{"Chart.yaml": "apiVersion: v2\nname: " + name + "\nversion: " + version + "\n"} {
		if err := pack.WriteHeader(&tar.Header{Name: name + "/" + file, Mode: 0o644, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := pack.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := pack.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// site is a server of which a test can say what it answers, counting requests.
type site struct {
	*httptest.Server
	asked atomic.Int32
}

func serve(t *testing.T, start func(http.Handler) *httptest.Server, handler http.Handler) *site {
	t.Helper()
	s := &site{}
	s.Server = start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		handler.ServeHTTP(w, r)
	}))
	s.Config.ErrorLog = log.New(&bytes.Buffer{}, "", 0)
	t.Cleanup(s.Close)
	return s
}

func trusting(t *testing.T, o chart.Options, server *site) chart.Options {
	t.Helper()
	o.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(o.CAFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return o
}

// push puts an archive into a registry as helm push does, and returns the pin.
func push(t *testing.T, server *site, tag string, archive []byte, media types.MediaType) config.Chart {
	t.Helper()
	host := strings.TrimPrefix(strings.TrimPrefix(server.URL, "http://"), "https://")
	image, err := mutate.Append(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), "application/vnd.cncf.helm.config.v1+json"),
		mutate.Addendum{Layer: static.NewLayer(archive, media), MediaType: media})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(host + "/charts/shop:" + tag)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, image, remote.WithTransport(server.Client().Transport)); err != nil {
		t.Fatal(err)
	}
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return config.Chart{Repo: "oci://" + host + "/charts", Name: "shop", Version: strings.ReplaceAll(tag, "_", "+"), Digest: digest.String()}
}

const chartType = types.MediaType("application/vnd.cncf.helm.chart.content.v1.tar+gzip")

func quiet() http.Handler { return registry.New(registry.Logger(log.New(&bytes.Buffer{}, "", 0))) }

func TestFetchFromARegistry(t *testing.T) {
	for kind, start := range map[string]func(http.Handler) *httptest.Server{"plain on this machine": httptest.NewServer, "tls": httptest.NewTLSServer} {
		t.Run(kind, func(t *testing.T) {
			server := serve(t, start, quiet())
			archive := packed(t, "shop", "1.2.3+build.4")
			want := push(t, server, "1.2.3_build.4", archive, chartType)
			o := options(t)
			if kind == "tls" {
				o = trusting(t, o, server)
			}
			cachedOnce(t, o, server, want, archive)
		})
	}
}

// What helm pushes and indexes is what is fetched.
func TestFetchWhatHelmMade(t *testing.T) {
	program, dir := reference.Program(t), t.TempDir()
	helm := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Dir, cmd.Env = dir, []string{"HOME=" + dir}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("helm %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	helm("create", "shop")
	helm("package", "shop", "--version", "1.2.3+build.4")
	helm("repo", "index", ".")
	archive, err := os.ReadFile(filepath.Join(dir, "shop-1.2.3+build.4.tgz"))
	if err != nil {
		t.Fatal(err)
	}
	web := serve(t, httptest.NewTLSServer, http.FileServer(http.Dir(dir)))
	want := config.Chart{Repo: web.URL, Name: "shop", Version: "1.2.3+build.4", Digest: chart.Digest(archive)}
	fetched(t, chart.New(trusting(t, options(t), web)), want, archive)

	server := serve(t, httptest.NewServer, quiet())
	want.Repo = "oci://" + strings.TrimPrefix(server.URL, "http://") + "/charts"
	said := helm("push", "--plain-http", "shop-1.2.3+build.4.tgz", want.Repo)
	_, after, _ := strings.Cut(said, "Digest: ")
	want.Digest, _, _ = strings.Cut(after, "\n")
	fetched(t, chart.New(options(t)), want, archive)
}

func TestFetchFromARepository(t *testing.T) {
	archive := packed(t, "shop", "1.2.3")
	for form, index := range map[string]string{
		"relative":   "entries:\n  shop:\n  - {version: 2.0.0, urls: [no.tgz]}\n  - {version: 1.2.3, urls: [charts/shop-1.2.3.tgz]}\n",
		"absolute":   "entries: {shop: [{version: 1.2.3, urls: [\"URL/repo/charts/shop-1.2.3.tgz\"], digest: " + strings.TrimPrefix(chart.Digest(archive), "sha256:") + "}]}",
		"JSON":       `{"entries": {"shop": [{"version": "v1.2.3", "urls": ["charts/shop-1.2.3.tgz"]}]}}`,
		"redirected": "entries: {shop: [{version: 1.2.3, urls: [moved]}]}",
	} {
		t.Run(form, func(t *testing.T) {
			mux := http.NewServeMux()
			server := serve(t, httptest.NewTLSServer, mux)
			mux.HandleFunc("/repo/index.yaml", func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, strings.ReplaceAll(index, "URL", server.URL))
			})
			mux.HandleFunc("/repo/charts/shop-1.2.3.tgz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(archive) })
			mux.Handle("/repo/moved", http.RedirectHandler("charts/shop-1.2.3.tgz", http.StatusFound))
			want := config.Chart{Repo: server.URL + "/repo", Name: "shop", Version: "1.2.3", Digest: chart.Digest(archive)}
			cachedOnce(t, trusting(t, options(t), server), server, want, archive)
		})
	}
}

// cachedOnce fetches a chart, and once more without a request; what is damaged in
// the cache is fetched anew.
func cachedOnce(t *testing.T, o chart.Options, server *site, want config.Chart, archive []byte) {
	t.Helper()
	s := chart.New(o)
	file := fetched(t, s, want, archive)
	asked := server.asked.Load()
	if again := fetched(t, s, want, archive); again != file || server.asked.Load() != asked {
		t.Errorf("fetched again: %s, %d requests", again, server.asked.Load()-asked)
	}
	if err := os.WriteFile(file, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	fetched(t, s, want, archive)
	left, err := filepath.Glob(filepath.Join(o.Dir, ".fetch-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func fetched(t *testing.T, s *chart.Store, want config.Chart, archive []byte) string {
	t.Helper()
	file, err := s.Fetch(t.Context(), want)
	if err != nil {
		t.Fatalf("%v (hint %q)", err, fault.Advice(err))
	}
	data, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(data, archive) {
		t.Fatalf("%s is another file: %v", file, err)
	}
	return file
}

type failure struct {
	class      fault.Class
	text, hint string
}

func (f failure) check(t *testing.T, o chart.Options, want config.Chart) {
	t.Helper()
	file, err := chart.New(o).Fetch(t.Context(), want)
	if err == nil || file != "" || fault.Of(err) != f.class || !strings.Contains(err.Error(), f.text) || !strings.Contains(fault.Advice(err), f.hint) {
		t.Errorf("got %q, %v (%v, hint %q), want %q (%v, hint %q)", file, err, fault.Of(err), fault.Advice(err), f.text, f.class, f.hint)
	}
	if files, _ := filepath.Glob(filepath.Join(o.Dir, "*")); len(files) > 0 {
		t.Errorf("in the cache: %q", files)
	}
}

func TestRegistryFailures(t *testing.T) {
	server := serve(t, httptest.NewServer, quiet())
	archive := packed(t, "shop", "1.2.3")
	good := push(t, server, "1.2.3", archive, chartType)
	other := push(t, server, "9.9.9", packed(t, "shop", "1.0.0"), chartType)
	image := push(t, server, "8.8.8", archive, types.OCILayer)
	broken := push(t, server, "7.7.7", []byte("not packed"), chartType)
	with := func(c config.Chart, change func(*config.Chart)) config.Chart { change(&c); return c }
	none := "sha256:" + strings.Repeat("0", 64)
	for name, c := range map[string]struct {
		want config.Chart
		failure
	}{
		"no digest":         {with(good, func(c *config.Chart) { c.Digest = "" }), failure{fault.Rejected, "it is not pinned", "digest: " + good.Digest}},
		"no version":        {with(good, func(c *config.Chart) { c.Version = "" }), failure{fault.Rejected, "kubernetes.helm.chart.version is missing", "version and digest"}},
		"digest not there":  {with(good, func(c *config.Chart) { c.Digest = none }), failure{fault.Rejected, "MANIFEST_UNKNOWN", "check repo"}},
		"version not there": {with(good, func(c *config.Chart) { c.Digest, c.Version = "", "5.5.5" }), failure{fault.Rejected, "MANIFEST_UNKNOWN", "check repo"}},
		"name not there":    {with(good, func(c *config.Chart) { c.Name = "none" }), failure{fault.Rejected, "NAME_UNKNOWN", "check repo"}},
		"another chart":     {other, failure{fault.Rejected, `what has that digest is chart "shop" of version "1.0.0"`, ""}},
		"no chart":          {image, failure{fault.Rejected, "the manifest names no chart", ""}},
		"not packed":        {broken, failure{fault.Rejected, "unpack the chart: ", ""}},
		"no place":          {with(good, func(c *config.Chart) { c.Name = "UPPER" }), failure{fault.Rejected, "is not a place in a registry", ""}},
	} {
		t.Run(name, func(t *testing.T) { c.check(t, options(t), c.want) })
	}
}

// A registry that sends other bytes than the digest names is found out.
func TestRegistryThatLies(t *testing.T) {
	honest := quiet()
	archive, evil := packed(t, "shop", "1.2.3"), packed(t, "shop", "1.2.4")
	for _, part := range []string{"/manifests/", "/blobs/"} {
		var lying atomic.Bool
		server := serve(t, httptest.NewServer, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if lying.Load() && r.Method == http.MethodGet && strings.Contains(r.URL.Path, part) {
				w.Header().Set("Content-Type", string(types.OCIManifestSchema1))
				_, _ = w.Write(evil)
				return
			}
			honest.ServeHTTP(w, r)
		}))
		want := push(t, server, "1.2.3", archive, chartType)
		lying.Store(true)
		failure{fault.Rejected, chart.Digest(evil)[7:], ""}.check(t, options(t), want)
	}
}

func TestRepositoryFailures(t *testing.T) {
	archive := packed(t, "shop", "1.2.3")
	pin := chart.Digest(archive)
	index := func(entry string) string { return "entries: {shop: [{" + entry + "}]}" }
	none := strings.Repeat("0", 64)
	for name, c := range map[string]struct {
		index  string
		status int
		digest string
		failure
	}{
		"digest mismatch":     {index("version: 1.2.3, urls: [a.tgz]"), 0, "sha256:" + none, failure{fault.Rejected, "it has digest " + pin + ", and sha256:" + none + " is pinned", "before you pin it anew"}},
		"no digest":           {index("version: 1.2.3, urls: [a.tgz]"), 0, "", failure{fault.Rejected, "it is not pinned", "digest: " + pin}},
		"index says another":  {index("version: 1.2.3, urls: [a.tgz], digest: " + none), 0, "", failure{fault.Rejected, "index says that it has digest sha256:" + none, "ask who keeps it"}},
		"no such chart":       {"entries: {other: []}", 0, pin, failure{fault.Rejected, "no chart of that name", "chart.name"}},
		"no such version":     {index("version: 2.0.0, urls: [a.tgz]"), 0, pin, failure{fault.Rejected, "no such version", "it has 2.0.0"}},
		"no index":            {"", http.StatusNotFound, pin, failure{fault.Rejected, "answers 404 Not Found", "check repo"}},
		"login":               {"", http.StatusUnauthorized, pin, failure{fault.Blocked, "answers 401 Unauthorized", "without a login"}},
		"server in trouble":   {"", http.StatusBadGateway, pin, failure{fault.Unreachable, "answers 502 Bad Gateway", ""}},
		"too many requests":   {"", http.StatusTooManyRequests, pin, failure{fault.Unreachable, "answers 429", ""}},
		"index that is none":  {"entries: ]", 0, pin, failure{fault.Rejected, "index cannot be read", ""}},
		"archive not there":   {index("version: 1.2.3, urls: [b.tgz]"), 0, pin, failure{fault.Rejected, "read the archive: ", "check repo"}},
		"address that is bad": {index("version: 1.2.3, urls: ['%zz']"), 0, pin, failure{fault.Rejected, "gives no address", ""}},
		"other scheme":        {index("version: 1.2.3, urls: ['file:///etc/hostname']"), 0, pin, failure{fault.Rejected, "plain http is not used", ""}},
		"plain http":          {index("version: 1.2.3, urls: ['http://192.0.2.1/a.tgz']"), 0, pin, failure{fault.Rejected, "plain http is not used", ""}},
		"redirect off TLS":    {index("version: 1.2.3, urls: [away]"), 0, pin, failure{fault.Rejected, "plain http is not used", ""}},
		"too long":            {index("version: 1.2.3, urls: [long]"), 0, pin, failure{fault.Rejected, "sends more than 50 MiB", ""}},
		"cut off":             {index("version: 1.2.3, urls: [cut]"), 0, pin, failure{fault.Unreachable, "unexpected EOF", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.HandleFunc("/index.yaml", func(w http.ResponseWriter, _ *http.Request) {
				if c.status != 0 {
					w.WriteHeader(c.status)
				}
				fmt.Fprint(w, c.index)
			})
			mux.HandleFunc("/a.tgz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(archive) })
			mux.Handle("/away", http.RedirectHandler("http://192.0.2.1/a.tgz", http.StatusFound))
			mux.HandleFunc("/long", func(w http.ResponseWriter, _ *http.Request) {
				for block := make([]byte, 1<<20); ; {
					if _, err := w.Write(block); err != nil {
						return
					}
				}
			})
			mux.HandleFunc("/cut", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "1000")
				_, _ = w.Write(archive[:50])
			})
			server := serve(t, httptest.NewTLSServer, mux)
			c.check(t, trusting(t, options(t), server), config.Chart{Repo: server.URL, Name: "shop", Version: "1.2.3", Digest: c.digest})
		})
	}
}

func TestServersThatDoNotAnswer(t *testing.T) {
	pin := config.Chart{Name: "shop", Version: "1.2.3", Digest: "sha256:" + strings.Repeat("0", 64)}
	silent := serve(t, httptest.NewTLSServer, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	gone := serve(t, httptest.NewTLSServer, http.NotFoundHandler())
	gone.Close()
	at := func(repo string) config.Chart { c := pin; c.Repo = repo; return c }
	host := func(s *site) string { return strings.TrimPrefix(s.URL, "https://") }

	failure{fault.Unreachable, "certificate signed by unknown authority", "repo.auth.caFile"}.check(t, options(t), at(silent.URL))
	failure{fault.Unreachable, "connection refused", ""}.check(t, options(t), at(gone.URL))
	failure{fault.Unreachable, "connection refused", ""}.check(t, options(t), at("oci://"+host(gone)+"/charts"))
	short := trusting(t, options(t), silent)
	short.Limits.FetchTime = config.Duration(time.Second)
	failure{fault.Unreachable, "took longer than 1s", "limits.fetchTime"}.check(t, short, at(silent.URL))
	bad := trusting(t, options(t), silent)
	bad.CAFile = filepath.Join(t.TempDir(), "none")
	failure{fault.Blocked, "repo.auth.caFile", "exists"}.check(t, bad, at(silent.URL))
}

// A cache that cannot be written is no fault of the chart.
func TestFullDisk(t *testing.T) {
	server := serve(t, httptest.NewServer, quiet())
	want := push(t, server, "1.2.3", packed(t, "shop", "1.2.3"), chartType)
	o := options(t)
	file := o.Dir
	o.Dir = filepath.Join(file, "below")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := chart.New(o).Fetch(t.Context(), want); fault.Of(err) != fault.Unreachable || !strings.Contains(fault.Advice(err), "df -h") {
		t.Errorf("got %v (%v)", err, fault.Of(err))
	}
}

// A server is not asked at each look for what it does not have.
func TestRefusedChartsRest(t *testing.T) {
	server := serve(t, httptest.NewServer, quiet())
	want := push(t, server, "1.2.3", packed(t, "shop", "1.2.3"), chartType)
	want.Digest = "sha256:" + strings.Repeat("0", 64)
	now := time.Now()
	o := options(t)
	o.Now = func() time.Time { return now }
	s := chart.New(o)
	asks := func() bool {
		t.Helper()
		before := server.asked.Load()
		if _, err := s.Fetch(t.Context(), want); fault.Of(err) != fault.Rejected {
			t.Fatalf("got %v (%v)", err, fault.Of(err))
		}
		return server.asked.Load() > before
	}
	if !asks() || asks() {
		t.Error("the first look asks, the second does not")
	}
	s.Forget()
	if !asks() || asks() {
		t.Error("somebody's own look asks again, once")
	}
	now = now.Add(11 * time.Minute)
	if !asks() {
		t.Error("after ten minutes it is asked for again")
	}
}

func TestCollect(t *testing.T) {
	server := serve(t, httptest.NewServer, quiet())
	kept, old := packed(t, "shop", "1.2.3"), packed(t, "shop", "1.2.2")
	want, gone := push(t, server, "1.2.3", kept, chartType), push(t, server, "1.2.2", old, chartType)
	now := time.Now()
	o := options(t)
	o.Now = func() time.Time { return now }
	s := chart.New(o)
	if err := s.Collect(want); err != nil {
		t.Fatal(err)
	}
	fetched(t, s, want, kept)
	fetched(t, s, gone, old)
	if err := os.Mkdir(filepath.Join(o.Dir, ".fetch-broken-off"), 0o700); err != nil {
		t.Fatal(err)
	}
	left := func() int {
		t.Helper()
		if err := s.Collect(want); err != nil {
			t.Fatal(err)
		}
		files, err := os.ReadDir(o.Dir)
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	if n := left(); n != 5 {
		t.Errorf("%d files are left of what was just fetched, want 5", n)
	}
	now = now.Add(9 * time.Minute)
	fetched(t, s, gone, old)
	now = now.Add(9 * time.Minute)
	if n := left(); n != 4 {
		t.Errorf("%d files are left of what was just handed out, want 4", n)
	}
	now = now.Add(9 * time.Minute)
	asked := server.asked.Load()
	if n := left(); n != 2 {
		t.Errorf("%d files are left, want those of the chart that is kept", n)
	}
	if fetched(t, s, want, kept); server.asked.Load() != asked {
		t.Error("what is kept was fetched again")
	}
}
