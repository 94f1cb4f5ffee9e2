package kube_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"syncd.io/syncd/internal/reconcile"
)

// syncd makes a command of the real program on the place's state.
func (p *place) syncd(ctx context.Context, args ...string) *exec.Cmd {
	p.t.Helper()
	cmd := exec.CommandContext(ctx, agentProgram(p.t), append(args, "--repo", p.repo, "--state", p.state, "--kubeconfig", p.kubeconfig)...)
	cmd.Env = append(os.Environ(), "NO_COLOR=1")
	return cmd
}

// killedAt runs syncd sync and kills it with -9 after its nth line of progress. It
// tells whether it came to that.
func (p *place) killedAt(n int) bool {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), passLimit)
	defer cancel()
	cmd := p.syncd(ctx, "sync", shop)
	out, in, err := os.Pipe()
	p.must(err)
	cmd.Stdout, cmd.Stderr = in, in
	p.must(cmd.Start())
	p.must(in.Close())
	killed := false
	for lines, seen := bufio.NewScanner(out), 1; lines.Scan(); seen++ {
		if seen == n {
			killed = cmd.Process.Kill() == nil
			break
		}
	}
	_, err = io.Copy(io.Discard, out)
	p.must(err)
	p.must(out.Close())
	if err := cmd.Wait(); err == nil && killed {
		killed = false // it had ended already
	}
	return killed
}

func TestAKilledProcessIsResumed(t *testing.T) {
	p := newPlace(t)
	p.settings(judged + "rollout: {soak: 0s, timeout: 20s}\n")
	p.deployed(mixed("v0", "well")...)
	last := "v0"
	for n, came := 1, true; came && n < 40; n += 3 {
		v := fmt.Sprintf("v%d", n)
		commit := p.deploy(mixed(v, "well")...)
		if came = p.killedAt(n); n == 1 && !came {
			t.Fatal("it was never killed")
		}
		out, err := p.syncd(t.Context(), "sync", shop).CombinedOutput()
		if err != nil {
			t.Fatalf("killed at line %d: the next sync: %v\n%s", n, err, out)
		}
		if good := p.record().Good.Revision.Commit; good != commit {
			t.Fatalf("killed at line %d: %s is good, want %s\n%s", n, good, commit, out)
		}
		p.holds(fmt.Sprintf("killed at line %d", n), v, last)
		last = v
	}
	p.settled()
	p.deploy(mixed("bad", "ill")...)
	p.killedAt(6)
	if out, err := p.syncd(t.Context(), "sync", shop).CombinedOutput(); err == nil {
		t.Errorf("the next sync of a broken revision ends with 0\n%s", out)
	}
	p.wantOutcome(p.sync(), reconcile.Held)
	p.holds("killed in a change that fails", last, "bad")
}
