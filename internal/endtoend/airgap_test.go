package endtoend_test

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/docker/dockertest"
)

// gap is a host without a network, and the side that makes packs for it. They share
// nothing but what a courier carries.
type gap struct {
	*host
	shelf *shelf
	// forge and air are the configuration files of both sides, stick is what the
	// courier carries, drop where the air-gapped side looks.
	forge, air, stick, drop string
}

func newGap(t *testing.T) *gap {
	t.Helper()
	g := &gap{host: newHost(t), shelf: newShelf(t), stick: t.TempDir(), drop: t.TempDir()}
	if out, err := exec.CommandContext(t.Context(), "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", g.on("key")).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	public, err := os.ReadFile(g.on("key.pub"))
	g.must(err)
	g.must(os.WriteFile(filepath.Join(g.state, "signers"), []byte("forge@example.org namespaces=\"syncd-pack\" "+string(public)), 0o600))
	dir := t.TempDir()
	g.forge, g.air = filepath.Join(dir, "forge.yaml"), filepath.Join(dir, "air.yaml")
	g.must(os.WriteFile(g.forge, []byte(fmt.Sprintf("repo: {url: %s}\nstate: %s\nregistries: {mirrors: {%q: {endpoint: [%q]}}}\n", g.repo, t.TempDir(), g.shelf.address, "http://"+g.shelf.address)), 0o600))
	g.must(os.WriteFile(g.air, []byte(fmt.Sprintf("repo: {url: \"bundle://%s/packs/bundles\", interval: 1s, ref: {branch: main}}\nstate: %s\nsocket: %s/syncd.sock\npacks: {dir: %s, allowedSignersFile: %s/signers}\n", g.state, g.state, g.state, g.drop, g.state)), 0o600))
	return g
}

// on is a file on the courier's stick.
func (g *gap) on(name string) string { return filepath.Join(g.stick, name) }

// pack makes a pack where there is a network, and returns its size.
func (g *gap) pack(name string, args ...string) int64 {
	g.t.Helper()
	args = append([]string{"pack", "--config", g.forge, "-o", g.on(name), "--key", g.on("key")}, args...)
	out, err := exec.CommandContext(g.t.Context(), agentProgram(g.t), args...).CombinedOutput()
	if err != nil {
		g.t.Fatalf("syncd %q: %v\n%s", args, err, out)
	}
	g.t.Logf("%s", out)
	info, err := os.Stat(g.on(name))
	g.must(err)
	return info.Size()
}

// isolated runs syncd where there is no network but the engine's socket.
func (g *gap) isolated(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, agentProgram(g.t), append([]string{args[0], "--config", g.air}, args[1:]...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	return cmd
}

// there runs a verb on the air-gapped side, and returns what it says.
func (g *gap) there(args ...string) (string, error) {
	out, err := g.isolated(g.t.Context(), args...).CombinedOutput()
	return string(out), err
}

// parts are the blobs that a pack carries.
func (g *gap) parts(name string) map[string]bool {
	g.t.Helper()
	f, err := os.Open(g.on(name))
	g.must(err)
	defer f.Close()
	out := map[string]bool{}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		g.must(err)
		if blob, ok := strings.CutPrefix(h.Name, "oci/blobs/sha256/"); ok {
			out[blob] = true
		}
	}
}

// runs tells whether the app runs from an image.
func (g *gap) runs(id string) bool {
	for _, c := range dockertest.Containers(g.t, g.api, g.project) {
		if c.State.Running && c.Image == id && c.State.Health != nil && c.State.Health.Status == "healthy" {
			return true
		}
	}
	return false
}

// TestOverAnAirGap: one side has a forge and a registry, the other has neither, nor any
// network. A courier carries files.
func TestOverAnAirGap(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a Docker engine")
	}
	if os.Getuid() != 0 {
		t.Skip("needs a network namespace")
	}
	t.Parallel()
	g := newGap(t)
	const compose = "services: {web: {image: 'AT', PROBE}}\n"
	ref, first := g.put(g.shelf, "one")
	g.deploy(strings.Replace(compose, "AT", ref, 1))
	whole := g.pack("1.syncdpack")

	g.shelf.shut.Store(true)
	if out, err := g.there("unpack", g.on("1.syncdpack"), "--receipt-to", g.on("receipt.json")); err != nil || !strings.Contains(out, "signed by forge@example.org") {
		t.Fatalf("unpack: %v\n%s", err, out)
	}
	if out, err := g.there("sync"); err != nil {
		t.Fatalf("sync: %v\n%s", err, out)
	}
	if !g.runs(first) {
		t.Fatal("the app does not run")
	}

	// the next pack brings the difference, and the agent takes it by itself
	g.shelf.shut.Store(false)
	ref, second := g.putLike(g.shelf, "two", "LABEL second=1")
	g.deploy(strings.Replace(compose, "AT", ref, 1))
	rest := g.pack("2.syncdpack", "--receipt", g.on("receipt.json"))
	if rest > whole/10 {
		t.Errorf("the whole has %d bytes, the difference %d", whole, rest)
	}
	before := g.parts("1.syncdpack")
	for blob := range g.parts("2.syncdpack") {
		if before[blob] {
			t.Errorf("part %s is carried twice", blob)
		}
	}
	g.shelf.shut.Store(true)
	agent := g.isolated(context.Background(), "run") // it ends by its signal
	var log lockedBuffer
	agent.Stdout, agent.Stderr = &log, &log
	g.must(agent.Start())
	t.Cleanup(func() {
		g.must(agent.Process.Signal(syscall.SIGTERM))
		if err := agent.Wait(); err != nil || t.Failed() {
			t.Errorf("syncd run ended with %v\n%s", err, log.String())
		}
	})
	g.bring("2.syncdpack")
	dockertest.Eventually(t, "the agent has deployed the second pack", func() bool { return g.runs(second) })

	// what is old, and what is not signed, changes nothing
	g.bring("1.syncdpack")
	dockertest.Eventually(t, "the old pack is left alone", func() bool { return strings.Contains(log.String(), "1.syncdpack is older than what was unpacked") })
	g.pack("3.syncdpack", "--no-images")
	data, err := os.ReadFile(g.on("3.syncdpack"))
	g.must(err)
	g.must(os.WriteFile(g.on("evil.syncdpack"), []byte(strings.Replace(string(data), `"by": "syncd`, `"by": "synkd`, 1)), 0o600))
	g.bring("evil.syncdpack")
	dockertest.Eventually(t, "the changed pack is set aside", func() bool {
		_, err := os.Stat(filepath.Join(g.drop, "broken", "evil.syncdpack.why"))
		return err == nil
	})
	if !g.runs(second) {
		t.Error("the app does not run as it was")
	}
}

// bring carries a pack to the directory that the agent watches.
func (g *gap) bring(name string) {
	g.t.Helper()
	data, err := os.ReadFile(g.on(name))
	g.must(err)
	then := time.Now().Add(-time.Hour)
	g.must(os.WriteFile(filepath.Join(g.drop, "."+name), data, 0o600))
	g.must(os.Chtimes(filepath.Join(g.drop, "."+name), then, then))
	g.must(os.Rename(filepath.Join(g.drop, "."+name), filepath.Join(g.drop, name)))
}
