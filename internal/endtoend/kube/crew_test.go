package kube_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"syncd.io/syncd/internal/server"
	"syncd.io/syncd/internal/state"
)

// crew are agents of one place, as processes that may be killed; who is gone leaves
// its directory to the next one in its seat.
type crew struct {
	*place
	url    string // where people are told
	record string // disk or secrets
	seats  []*seat
}

// seat is the place of one agent.
type seat struct {
	dir   string
	agent *exec.Cmd // nil where nobody is there
	said  *diary
}

// diary is what an agent says, of which the end is kept.
type diary struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (d *diary) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text.Write(p)
}

// String is all that was said.
func (d *diary) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text.String()
}

// newCrew makes seats for as many agents, nobody in them. More than one need a record
// in the cluster.
func newCrew(p *place, url, record string, seats int) *crew {
	p.t.Helper()
	c := &crew{place: p, url: url, record: record}
	for range seats {
		c.seats = append(c.seats, &seat{dir: p.t.TempDir(), said: &diary{}})
	}
	p.t.Cleanup(func() {
		for i := range c.seats {
			c.kill(i)
		}
		if p.t.Failed() {
			for i, s := range c.seats {
				p.t.Logf("agent %d said:\n%s", i, tailOf(s.said.String(), 200))
			}
		}
	})
	return c
}

// tailOf are the last lines of a text.
func tailOf(text string, lines int) string {
	all := strings.Split(text, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// sit starts an agent in a seat, where there is none.
func (c *crew) sit(i int) {
	c.t.Helper()
	s := c.seats[i]
	if s.agent != nil {
		return
	}
	file := filepath.Join(s.dir, "syncd.yaml")
	c.must(os.WriteFile(file, fmt.Appendf(nil, `repo: {url: %s, interval: 5s}
state: %[2]s
socket: %[2]s/s.sock
kubernetes: {kubeconfig: %[3]s, record: %[4]s, namespace: %[5]s}
notify:
  channels: {hook: {type: webhook, url: "%[6]s", pause: 0s}}
  routes: [{to: [hook], group: 0s}]
`, c.repo, s.dir, c.kubeconfig, c.record, c.namespace, c.url), 0o600))
	s.agent = exec.CommandContext(context.WithoutCancel(c.t.Context()), agentProgram(c.t), "run", "--config", file)
	s.agent.Stdout, s.agent.Stderr = s.said, s.said
	c.must(s.agent.Start())
}

// kill ends the agent of a seat as a machine does that fails.
func (c *crew) kill(i int) { c.end(i, syscall.SIGKILL) }

// stop lets it end.
func (c *crew) stop(i int) { c.end(i, syscall.SIGTERM) }

func (c *crew) end(i int, how syscall.Signal) {
	s := c.seats[i]
	if s.agent == nil {
		return
	}
	_ = s.agent.Process.Signal(how) // it may have ended
	_ = s.agent.Wait()
	s.agent = nil
}

// moves gives a seat a new directory: the next agent there begins with nothing.
func (c *crew) moves(i int) { c.seats[i].dir = c.t.TempDir() }

// errNobody is in the error of a question that no agent answered.
var errNobody = errors.New("no agent answers")

// history asks whoever leads for the lines of an app, the oldest first. Errors: nobody
// leads.
func (c *crew) history(app string) ([]state.Entry, error) {
	err := errNobody
	for _, s := range c.seats {
		if s.agent == nil {
			continue
		}
		var all []state.Entry
		if all, err = (server.Client{Socket: filepath.Join(s.dir, "s.sock")}).History(c.t.Context(), app, 0); err == nil {
			slices.Reverse(all)
			return all, nil
		}
	}
	return nil, err
}
