package endtoend_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"syncd.io/syncd/internal/reconcile"
)

// syncd makes a command of the real program on the host's state.
func (h *host) syncd(ctx context.Context, args ...string) *exec.Cmd {
	h.t.Helper()
	flags := []string{"--repo", h.repo, "--state", h.state}
	if h.engine != "" {
		flags = append(flags, "--docker", h.engine)
	}
	cmd := exec.CommandContext(ctx, agentProgram(h.t), append(args, flags...)...)
	cmd.Env = append(os.Environ(), "NO_COLOR=1")
	return cmd
}

// killedAt runs syncd sync and kills it with -9 after its n-th line of progress.
// It tells whether it came to that.
func (h *host) killedAt(n int) bool {
	h.t.Helper()
	seen := 0
	return h.killedOn(func(string) bool { seen++; return seen == n })
}

// killedOn kills it at the first line that is so.
func (h *host) killedOn(is func(line string) bool) bool {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), passLimit)
	defer cancel()
	cmd := h.syncd(ctx, "sync", h.project)
	out, in, err := os.Pipe()
	h.must(err)
	cmd.Stdout, cmd.Stderr = in, in
	h.must(cmd.Start())
	h.must(in.Close())
	killed := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if is(lines.Text()) {
			killed = cmd.Process.Kill() == nil
			break
		}
	}
	_, err = io.Copy(io.Discard, out)
	h.must(err)
	h.must(out.Close())
	if err := cmd.Wait(); err == nil && killed {
		killed = false // it had ended already
	}
	return killed
}

func TestKilledAgentIsResumed(t *testing.T) {
	t.Parallel()
	h := mixedHost(t)
	for n, came := 1, true; came && n < 40; n += 2 {
		v := fmt.Sprint(n + 1)
		commit := h.deploy(version(mixed, v))
		came = h.killedAt(n)
		out, err := h.syncd(t.Context(), "sync", h.project).CombinedOutput()
		if err != nil {
			t.Fatalf("killed at line %d: the next sync: %v\n%s", n, err, out)
		}
		if good := h.record().Good.Revision.Commit; good != commit {
			t.Fatalf("killed at line %d: %s is good, want %s\n%s", n, good, commit, out)
		}
		h.bothRun(fmt.Sprintf("killed at line %d", n), v)
		h.settled()
		if n == 1 && !came {
			t.Fatal("it was never killed")
		}
	}
}

func TestKilledAgentOfAFailingChangeGoesBack(t *testing.T) {
	t.Parallel()
	h := mixedHost(t)
	for n, came := 2, true; came && n < 40; n += 4 {
		v := fmt.Sprintf(`"b%d`, n)
		h.deploy(strings.NewReplacer(`"1"}`, v+`", APP_UNHEALTHY: "1"}`, `"1",`, v+`",`).Replace(mixed))
		came = h.killedAt(n)
		out, err := h.syncd(t.Context(), "sync", h.project).CombinedOutput()
		if err == nil {
			t.Fatalf("killed at line %d: the next sync of a broken revision ends with 0\n%s", n, out)
		}
		h.want(h.sync(), reconcile.Held)
		h.bothRun(fmt.Sprintf("killed at line %d", n), "1")
		if n == 2 && !came {
			t.Fatal("it was never killed")
		}
		if left, err := filepath.Glob(filepath.Join(h.state, "mounts", ".new-*")); err != nil || len(left) > 0 {
			t.Errorf("drafts are left: %v %v", left, err)
		}
	}
}
