package endtoend_test

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/docker/dockertest"
)

// endedWhen runs a verb and sends it a signal as soon as is is true. It returns
// what was printed, and the exit code.
func (h *host) endedWhen(sig syscall.Signal, is func() bool, args ...string) (string, int) {
	h.t.Helper()
	cmd := h.syncd(h.t.Context(), args...)
	var said lockedBuffer
	cmd.Stdout, cmd.Stderr = &said, &said
	h.must(cmd.Start())
	for deadline := time.Now().Add(dockertest.Limit); !is(); { // the moment is short
		if time.Now().After(deadline) {
			h.t.Fatalf("the moment to end it never came\n%s", said.String())
		}
	}
	h.must(cmd.Process.Signal(sig))
	exit := &exec.ExitError{}
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		h.t.Fatal(err)
	}
	return said.String(), cmd.ProcessState.ExitCode()
}

// versions are those of the service's running containers.
func (h *host) versions(service string) string {
	h.t.Helper()
	var running []string
	for _, c := range h.service(service) {
		if c.State.Running {
			running = append(running, env(c, "APP_VERSION"))
		}
	}
	return strings.Join(running, " ")
}

// Whoever ends syncd between the old side's stop and the new side's start gets
// the new side started first: a host is not left without its database until the
// next pass.
func TestASignalLeavesNoServiceStopped(t *testing.T) {
	t.Parallel()
	h := mixedHost(t)
	for i, c := range []struct {
		verb string
		sig  syscall.Signal
		code int
	}{{"sync", syscall.SIGINT, 1}, {"sync", syscall.SIGTERM, 1}, {"run", syscall.SIGTERM, 0}} {
		v := fmt.Sprint(i + 2)
		h.deploy(version(mixed, v))
		said, code := h.endedWhen(c.sig, func() bool { return h.versions("db") == "" }, c.verb)
		if code != c.code {
			t.Errorf("%s ended with %d, want %d\n%s", c.verb, code, c.code, said)
		}
		if got := h.versions("db"); got != v {
			t.Errorf("%s left db with %q running, want %s\n%s", c.verb, got, v, said)
		}
		if got := h.versions("web"); got != fmt.Sprint(i+1) {
			t.Errorf("%s went on with web: %q\n%s", c.verb, got, said)
		}
		h.sync()
		h.bothRun("the next pass", v)
	}
}
