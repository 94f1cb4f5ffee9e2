package kube_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"syncd.io/syncd/internal/apply/kube"
	"syncd.io/syncd/internal/state"
)

// people are told by webhook, and may be away.
type people struct {
	away atomic.Bool

	mu   sync.Mutex
	told []string // EVENT COMMIT, each time
}

// ServeHTTP keeps what is said.
func (p *people) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m struct {
		Facts []struct {
			Event    string `json:"event"`
			Revision struct {
				Commit string `json:"commit"`
			} `json:"revision"`
		} `json:"facts"`
	}
	if p.away.Load() || json.NewDecoder(r.Body).Decode(&m) != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range m.Facts {
		p.told = append(p.told, f.Event+" "+f.Revision.Commit)
	}
}

func (p *people) all() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.told)
}

// telling runs an agent that keeps its record in the cluster, with a disk of its own;
// kill ends it as a node does that dies.
func (p *place) telling(url string) (said *bytes.Buffer, kill func()) {
	p.t.Helper()
	dir := p.t.TempDir()
	file := filepath.Join(dir, "syncd.yaml")
	p.must(os.WriteFile(file, fmt.Appendf(nil, `repo: {url: %s, interval: 1s}
state: %s
socket: %s/syncd.sock
kubernetes: {kubeconfig: %s, record: secrets, namespace: %s}
notify:
  channels: {hook: {type: webhook, url: "%s", pause: 0s}}
  routes: [{to: [hook], group: 0s}]
`, p.repo, dir, dir, p.kubeconfig, p.namespace, url), 0o600))
	said = &bytes.Buffer{}
	cmd := exec.CommandContext(context.WithoutCancel(p.t.Context()), agentProgram(p.t), "run", "--config", file)
	cmd.Stdout, cmd.Stderr = said, said
	p.must(cmd.Start())
	kill = func() {
		if cmd.ProcessState == nil {
			p.must(cmd.Process.Kill())
			_ = cmd.Wait() // it was killed
		}
	}
	p.t.Cleanup(kill)
	return said, kill
}

// inCluster reads the record in the cluster, as an agent would that takes over.
func (p *place) inCluster(read func(c *state.Cluster) error) error {
	config, err := kube.Config(p.kubeconfig, "", "test")
	if err != nil {
		return err
	}
	secrets, err := kube.NewSecrets(config, p.namespace)
	if err != nil {
		return err
	}
	c, err := state.OpenCluster(p.t.Context(), state.ClusterOptions{Blobs: secrets, Place: p.namespace})
	if err != nil {
		return err
	}
	return read(c)
}

// Who takes over in a cluster tells what its predecessor could not, and nothing twice
// that was told: although nothing is left of that one but the record.
func TestWhoTakesOverTellsTheRest(t *testing.T) {
	p, all := newPlace(t), &people{}
	hook := httptest.NewServer(all)
	t.Cleanup(hook.Close)
	first := p.deploy(settingsMap)
	said, kill := p.telling(hook.URL)
	p.eventually("the first is told", func() bool { return slices.Equal(all.all(), []string{"applied " + first}) })
	p.eventually("that is noted", func() bool {
		return p.inCluster(func(c *state.Cluster) error {
			if id, _, _, err := c.Told(); err != nil || id == 0 {
				return errors.New("not yet")
			}
			return nil
		}) == nil
	})

	all.away.Store(true)
	second := p.deploy(strings.Replace(settingsMap, "blue", "green", 1))
	p.eventually("the second is on record", func() bool {
		return p.inCluster(func(c *state.Cluster) error {
			entries, err := c.History(shop, 1)
			if err != nil || len(entries) == 0 || entries[0].Outcome != "applied" || entries[0].Revision.Commit != second {
				return errors.New("not yet")
			}
			return nil
		}) == nil
	})
	kill()
	all.away.Store(false)
	other, end := p.telling(hook.URL)
	p.eventually("the second is told", func() bool { return len(all.all()) > 1 })
	end()
	if want := []string{"applied " + first, "applied " + second}; !slices.Equal(all.all(), want) {
		t.Errorf("told was %v, want %v\n%s\n%s", all.all(), want, said.String(), other.String())
	}
}
