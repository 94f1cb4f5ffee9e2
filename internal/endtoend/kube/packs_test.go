package kube_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
)

// store is the distribution's registry, as the nodes of a cluster without a network
// ask it, and what it was asked.
type store struct {
	address string

	mu     sync.Mutex
	writes []string
}

func newStore(t *testing.T) *store {
	t.Helper()
	program, err := exec.LookPath("docker-registry")
	if err != nil {
		t.Fatalf("no docker-registry (make proxies installs it, or run with -short): %v", err)
	}
	at := filepath.Join(t.TempDir(), "socket")
	settings := filepath.Join(t.TempDir(), "config.yml")
	text := fmt.Sprintf("version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {net: unix, addr: %s, relativeurls: true}\n", t.TempDir(), at)
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, program, "serve", settings)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := cmd.Wait(); err != nil && t.Failed() {
			t.Logf("the registry: %v\n%s", err, said.String())
		}
	})
	s := &store{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "registry"}) },
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", at)
		}},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			s.mu.Lock()
			s.writes = append(s.writes, r.Method+" "+r.URL.Path)
			s.mu.Unlock()
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.address = server.URL
	return s
}

// written are the requests that changed the registry until now.
func (s *store) written() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.writes...)
}

// has tells whether the registry answers with something.
func (s *store) has(t *testing.T, what string) bool {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.address+"/v2/"+what, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/vnd.oci.image.index.v1+json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// shelve leaves an image for two platforms in a directory of archives, and returns its
// digest.
func shelve(t *testing.T, dir, name string) string {
	t.Helper()
	var all v1.ImageIndex = empty.Index
	for _, architecture := range []string{"amd64", "arm64"} {
		one, err := random.Image(1<<10, 2)
		if err != nil {
			t.Fatal(err)
		}
		file, err := one.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		file = file.DeepCopy()
		file.OS, file.Architecture = "linux", architecture
		if one, err = mutate.ConfigFile(one, file); err != nil {
			t.Fatal(err)
		}
		all = mutate.AppendManifests(all, mutate.IndexAddendum{Add: one, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}}})
	}
	at, err := layout.Write(filepath.Join(dir, "layout"), empty.Index)
	if err == nil {
		err = at.AppendIndex(all, layout.WithAnnotations(map[string]string{"io.containerd.image.name": name}))
	}
	digest, failed := all.Digest()
	if err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	return digest.String()
}

// gap is a cluster without a network, and the side that makes packs for it.
type gap struct {
	*place
	store *store
	// forge and air are the settings of both sides; drop is where the agent looks, and dir
	// what the forge's side has.
	forge, air, drop, dir string
}

func newGap(t *testing.T) *gap {
	t.Helper()
	g := &gap{place: newPlace(t), store: newStore(t), drop: t.TempDir(), dir: t.TempDir()}
	g.forge, g.air = filepath.Join(g.dir, "forge.yaml"), filepath.Join(g.dir, "air.yaml")
	g.must(os.WriteFile(g.forge, fmt.Appendf(nil, "repo: {url: %s}\nstate: %s\nkubernetes: {}\nimages: {archives: %s}\n", g.repo, t.TempDir(), g.dir), 0o600))
	g.must(os.WriteFile(g.air, fmt.Appendf(nil, `repo: {url: "bundle://%[1]s/packs/bundles", ref: {branch: main}, interval: 1s}
state: %[1]s
socket: %[2]s/syncd.sock
kubernetes: {kubeconfig: %[3]s, record: secrets, namespace: %[4]s}
packs: {dir: %[5]s, allowUnsigned: true, registry: "%[6]s", allowHTTP: true}
`, g.state, g.dir, g.kubeconfig, g.namespace, g.drop, g.store.address), 0o600))
	return g
}

// says runs a verb of syncd, and returns what it says.
func (g *gap) says(args ...string) string {
	g.t.Helper()
	out, err := exec.CommandContext(g.t.Context(), agentProgram(g.t), args...).CombinedOutput()
	if err != nil {
		g.t.Fatalf("syncd %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// bring makes a pack, and carries it to where the agent looks, which leaves a receipt.
func (g *gap) bring(name string, more ...string) (receipt string) {
	g.t.Helper()
	file := filepath.Join(g.dir, name+".syncdpack")
	g.t.Log(g.says(append([]string{"pack", "--config", g.forge, "--unsigned", "-o", file}, more...)...))
	data, err := os.ReadFile(file)
	g.must(err)
	g.must(os.WriteFile(filepath.Join(g.drop, "."+name), data, 0o600))
	g.must(os.Rename(filepath.Join(g.drop, "."+name), filepath.Join(g.drop, name+".syncdpack")))
	receipt = filepath.Join(g.drop, "done", name+".syncdpack.receipt.json")
	g.eventually(name+" is taken", func() bool { _, err := os.Stat(receipt); return err == nil })
	return receipt
}

// start runs the agent, until the test is over.
func (g *gap) start() {
	g.t.Helper()
	var said bytes.Buffer
	cmd := exec.CommandContext(context.WithoutCancel(g.t.Context()), agentProgram(g.t), "run", "--config", g.air)
	cmd.Stdout, cmd.Stderr = &said, &said
	g.must(cmd.Start())
	g.t.Cleanup(func() {
		g.must(cmd.Process.Signal(syscall.SIGTERM))
		if err := cmd.Wait(); err != nil || g.t.Failed() {
			g.t.Errorf("syncd run ended with %v\n%s", err, said.String())
		}
	})
}

// An agent that keeps its record in the cluster takes packs while it leads: their
// images go into a registry, with the digests that they have, once.
func TestPacksForACluster(t *testing.T) {
	g := newGap(t)
	digest := shelve(t, g.dir, "docker.io/shop/web:v1")
	workload := strings.Replace(asleep, "syncd-test/app:1", "shop/web:v1", 1)
	g.deploy(settingsMap, workload)
	g.start()
	receipt := g.bring("one")
	if !g.store.has(t, "shop/web/manifests/"+digest) || !g.store.has(t, "shop/web/manifests/v1") {
		t.Errorf("the registry lacks the image: %v", g.store.written())
	}
	g.eventually("the app is there", func() bool { return image(g.live("deployments", "web")) == "shop/web:v1" })

	before := g.store.written()
	g.deploy(strings.Replace(settingsMap, "blue", "green", 1), workload)
	g.bring("two", "--receipt", receipt)
	g.bring("all")
	if out := g.says("unpack", "--config", g.air, filepath.Join(g.drop, "done", "all.syncdpack")); !strings.Contains(out, "had been unpacked before") {
		t.Errorf("once more: %s", out)
	}
	if after := g.store.written(); len(after) != len(before) {
		t.Errorf("what is there was sent again: %v", after[len(before):])
	}
	g.eventually("the change is there", func() bool { return field(g.live("configmaps", "settings"), "data", "colour") == "green" })
}
