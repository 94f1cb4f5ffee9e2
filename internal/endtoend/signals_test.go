package endtoend_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/docker/dockertest"
)

// follow starts syncd run on the host's state, with an interval that nobody lives
// to see the end of. It ends with the test, if it has not before.
func (h *host) follow() *process {
	h.t.Helper()
	p := h.launch(h.syncd(h.t.Context(), "run", "--interval", "24h", "--log-format", "text"))
	h.t.Cleanup(func() {
		if h.t.Failed() {
			h.t.Log(p.log.String())
		}
	})
	return p
}

func (h *host) signal(p *process, sig syscall.Signal) {
	h.t.Helper()
	h.must(p.cmd.Process.Signal(sig))
}

// ends waits until the process has ended, and fails the test unless it did so
// soon and in order.
func (h *host) ends(p *process) {
	h.t.Helper()
	late := time.AfterFunc(20*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	if err := p.cmd.Wait(); err != nil {
		h.t.Errorf("syncd run ended with %v, want exit code 0", err)
	}
}

// runsVersion waits for one healthy container of the service, of this version.
func (h *host) runsVersion(service, v string) {
	h.t.Helper()
	dockertest.Eventually(h.t, service+" runs in version "+v, func() bool {
		list := h.service(service)
		return len(list) == 1 && list[0].State.Running && env(list[0], "APP_VERSION") == v
	})
}

func TestHangupMakesTheAgentLookNow(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(web)
	p := h.follow()
	h.deployed(p)
	for n := range 3 {
		v := fmt.Sprint(n + 2)
		h.deploy(version(web, v))
		for range n + 1 { // a burst is one
			h.signal(p, syscall.SIGHUP)
		}
		h.runsVersion("web", v)
		h.deployed(p)
	}
	was := h.one("web").ID
	h.must(h.api.ContainerKill(t.Context(), was, "KILL"))
	h.deployed(p) // a hangup is no end: it still listens to the engine
	h.runsVersion("web", "4")
}

func TestSignalEndsAnIdleAgentInOrder(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(web)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			h.t = t
			p := h.follow()
			h.deployed(p)
			socket := filepath.Join(h.state, "syncd.sock")
			if _, err := os.Stat(socket); err != nil {
				t.Fatalf("no socket while it runs: %v", err)
			}
			was := h.ids("web")
			h.untouched(func() {
				h.signal(p, sig)
				h.ends(p)
			})
			if h.ids("web") != was {
				t.Error("something was restarted")
			}
			if log := p.log.String(); !strings.Contains(log, "msg=ending") || !strings.Contains(log, sig.String()) {
				t.Errorf("the log does not say why it ended:\n%s", log)
			}
			if _, err := os.Stat(socket); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the socket is still there: %v", err)
			}
			h.unlocked()
			h.settled()
		})
		h.t = t
	}
}

// unlocked fails the test unless nobody holds the state directory.
func (h *host) unlocked() {
	h.t.Helper()
	f, err := os.Open(filepath.Join(h.state, "lock"))
	h.must(err)
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		h.t.Errorf("the state directory is still locked: %v", err)
	}
}

func TestSecondAgentOnOneStateDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(web)
	p := h.follow()
	h.deployed(p)
	was := h.ids("web")
	h.untouched(func() {
		out, err := h.syncd(t.Context(), "run", "--interval", "24h").CombinedOutput()
		if err == nil {
			t.Errorf("a second agent ran and ended well")
		}
		for _, part := range []string{fmt.Sprintf("another syncd (pid %d)", p.cmd.Process.Pid), h.state, "hint: ", "--state"} {
			if !strings.Contains(string(out), part) {
				t.Errorf("it does not say %q:\n%s", part, out)
			}
		}
	})
	if h.ids("web") != was {
		t.Error("something was restarted")
	}
	h.deployed(p) // the first one still answers at its socket
	h.deploy(version(web, "2"))
	h.signal(p, syscall.SIGHUP)
	h.runsVersion("web", "2")
}

// leave lets the engine seem to be away, or be there again.
func (p *proxy) leave(away bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away = away
}

// At boot, an agent may be there before its engine: it waits, says so, and can be
// ended while it does.
func TestAgentWaitsForItsEngine(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	engine := newProxy(t)
	h.engine = engine.address
	h.deploy(web)
	for _, ending := range []bool{false, true} {
		engine.leave(true)
		p := h.follow()
		dockertest.Eventually(t, "it says that it waits", func() bool {
			return strings.Contains(p.log.String(), "the engine does not answer")
		})
		if !ending {
			engine.leave(false)
			h.deployed(p)
			h.runsVersion("web", "1")
		}
		h.signal(p, syscall.SIGTERM)
		h.ends(p)
		h.unlocked()
		if ending && strings.Contains(p.log.String(), "level=ERROR") {
			t.Errorf("being ended is no error:\n%s", p.log.String())
		}
	}
	engine.leave(false)
	h.settled()
}
