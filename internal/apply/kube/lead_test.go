package kube_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/kube"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/kubetest"
	"syncd.io/syncd/internal/state"
)

// candidateEnv makes this test's binary an agent of its own: KUBECONFIG|NAMESPACE|NAME.
const candidateEnv = "SYNCD_TEST_CANDIDATE"

// TestCandidate is no test but such an agent: while it leads it counts, one save
// after the other, on from what is on record.
func TestCandidate(t *testing.T) {
	words := strings.Split(os.Getenv(candidateEnv), "|")
	if len(words) != 3 {
		t.Skip("it is what the tests below start")
	}
	e := election(t, words[0], words[1], words[2])
	e.Standby = func(leader string) { fmt.Println("standby", leader) }
	e.Trouble = func(err error) { fmt.Println("trouble", err) }
	err := e.Lead(t.Context(), func(ctx context.Context, leads func() error) error {
		fmt.Println("leading", words[2])
		return count(ctx, t, e, leads)
	})
	fmt.Println("ended", err)
}

func count(ctx context.Context, t *testing.T, e kube.Election, leads func() error) error {
	c, err := state.OpenCluster(ctx, state.ClusterOptions{Blobs: secretsOf(t, e.Config, e.Namespace), Place: e.Namespace, Fence: leads})
	if err != nil {
		return err
	}
	r, err := c.Record("shop")
	if err != nil {
		return err
	}
	n, _ := strconv.Atoi(r.Dir)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
		n++
		if _, err := c.SaveWith(state.Record{App: "shop", Dir: strconv.Itoa(n)}, state.Entry{App: "shop", Who: e.Identity, Reason: strconv.Itoa(n)}); err != nil {
			fmt.Println("refused", n, err)
			if fault.Of(err) != fault.Unreachable {
				return err
			}
			n-- // nobody knows what became of it: once more
			continue
		}
		fmt.Println("saved", n)
	}
}

func election(t *testing.T, kubeconfig, namespace, name string) kube.Election {
	return kube.Election{Config: config(t, kubeconfig), Namespace: namespace, Identity: name}
}

// candidate is such an agent, seen from outside.
type candidate struct {
	*exec.Cmd
	mu    sync.Mutex
	lines []string
	saved int
}

func start(t *testing.T, access *kubetest.Access, namespace, name string) *candidate {
	t.Helper()
	c := &candidate{Cmd: exec.CommandContext(context.WithoutCancel(t.Context()), os.Args[0], "-test.run=^TestCandidate$", "-test.v")}
	c.Env = append(os.Environ(), candidateEnv+"="+access.Kubeconfig()+"|"+namespace+"|"+name)
	out, err := c.StdoutPipe()
	if err == nil {
		c.Stderr = c.Stdout
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() { defer close(read); c.read(out) }()
	t.Cleanup(func() {
		if err := c.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Error(err)
		}
		<-read
		var ended *exec.ExitError
		if err := c.Wait(); err != nil && !errors.As(err, &ended) {
			t.Error(err)
		}
	})
	return c
}

func (c *candidate) read(out io.Reader) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		c.mu.Lock()
		c.lines = append(c.lines, lines.Text())
		if n, err := strconv.Atoi(strings.TrimPrefix(lines.Text(), "saved ")); err == nil {
			c.saved = n
		}
		c.mu.Unlock()
	}
}

// says waits until the agent has said something that begins so.
func (c *candidate) says(t *testing.T, word string) {
	t.Helper()
	c.until(t, word, func() bool {
		for _, line := range c.lines {
			if strings.HasPrefix(line, word) {
				return true
			}
		}
		return false
	})
}

// reaches waits until the agent has counted that far.
func (c *candidate) reaches(t *testing.T, n int) {
	t.Helper()
	c.until(t, fmt.Sprint("saved ", n), func() bool { return c.saved >= n })
}

func (c *candidate) until(t *testing.T, what string, come func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(2 * time.Minute); ; <-tick.C {
		c.mu.Lock()
		here, said := come(), strings.Join(c.lines, "\n")
		c.mu.Unlock()
		if here {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("it never says %q:\n%s", what, said)
		}
	}
}

func (c *candidate) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.saved
}

// unbroken fails the test unless the history counts without a gap and without a
// number twice, and each number is of one agent after the other.
func unbroken(t *testing.T, access *kubetest.Access, namespace string) {
	t.Helper()
	c := opened(t, secretsOf(t, config(t, access.Kubeconfig()), namespace))
	entries, err := c.History("shop", 0)
	if err != nil || len(entries) == 0 {
		t.Fatal(len(entries), err)
	}
	newest, changes := int(entries[0].ID), 0
	for i, e := range entries {
		if want := newest - i; int(e.ID) != want || e.Reason != strconv.Itoa(want) {
			t.Fatalf("entry %d is %d (%s of %s), want %d", i, e.ID, e.Reason, e.Who, want)
		}
		if i > 0 && e.Who != entries[i-1].Who {
			changes++
		}
	}
	if r, err := c.Record("shop"); err != nil || r.Dir != strconv.Itoa(newest) || changes > 1 {
		t.Errorf("the record is of %s, %v; the newest entry is %d; the leader changed %d times", r.Dir, err, newest, changes)
	}
}

func TestLeaderKilledAndTheOtherTakesOverWithoutDoingAnythingTwice(t *testing.T) {
	t.Parallel()
	access, _, ns := namespace(t)
	first := start(t, access, ns, "first")
	first.says(t, "leading first")
	second := start(t, access, ns, "second")
	second.says(t, "standby first")
	first.reaches(t, 5)
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	second.says(t, "leading second")
	t.Logf("the other took over after %v", time.Since(begun).Round(time.Millisecond))
	second.reaches(t, first.count()+20)
	unbroken(t, access, ns)
}

func TestALeaderThatWasFrozenOverwritesNothing(t *testing.T) {
	t.Parallel()
	access, _, ns := namespace(t)
	first := start(t, access, ns, "first")
	first.reaches(t, 5)
	second := start(t, access, ns, "second")
	second.says(t, "standby first")
	if err := first.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	second.reaches(t, first.count()+10)
	if err := first.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	first.says(t, "standby second")
	second.reaches(t, second.count()+5)
	unbroken(t, access, ns)
}

func TestALeaderThatEndsGivesTheLeaseBack(t *testing.T) {
	t.Parallel()
	access, _, ns := namespace(t)
	ctx, end := context.WithCancel(t.Context())
	first := election(t, access.Kubeconfig(), ns, "first")
	ended := make(chan error, 1)
	leading := make(chan struct{})
	go func() {
		ended <- first.Lead(ctx, func(ctx context.Context, leads func() error) error {
			close(leading)
			<-ctx.Done()
			if err := leads(); err != nil {
				t.Errorf("an agent that ends in order may not save any more: %v", err)
			}
			return nil
		})
	}()
	<-leading
	second := start(t, access, ns, "second")
	second.says(t, "standby first")
	begun := time.Now()
	end()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	second.says(t, "leading second")
	if took := time.Since(begun); took > 6*time.Second {
		t.Errorf("the other took over after %v", took)
	}
}

func TestLeadEndsWithWhatItRuns(t *testing.T) {
	t.Parallel()
	access, _, ns := namespace(t)
	trouble := errors.New("the run's own")
	e := election(t, access.Kubeconfig(), ns, "first")
	if err := e.Lead(t.Context(), func(context.Context, func() error) error { return trouble }); !errors.Is(err, trouble) {
		t.Errorf("it came to %v", err)
	}
	lease := do(t, access, http.MethodGet, "/apis/coordination.k8s.io/v1/namespaces/"+ns+"/leases/syncd", nil)
	if spec, _ := lease["spec"].(map[string]any); spec["holderIdentity"] != "" && spec["holderIdentity"] != nil {
		t.Errorf("the lease is still held: %v", spec)
	}
}

func TestARunThatGivesUpItsLeaseIsBegunAnew(t *testing.T) {
	t.Parallel()
	access, _, ns := namespace(t)
	runs := 0
	err := election(t, access.Kubeconfig(), ns, "first").Lead(t.Context(), func(context.Context, func() error) error {
		if runs++; runs == 1 {
			return fmt.Errorf("%w: somebody else wrote", kube.ErrLostLease)
		}
		return nil
	})
	if err != nil || runs != 2 {
		t.Errorf("it ran %d times, %v", runs, err)
	}
}

func TestLeadWithoutTheRightIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	access, _, ns := namespace(t)
	nobody, err := access.User(t.TempDir(), "nobody", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	err = election(t, nobody, ns, "first").Lead(t.Context(), func(context.Context, func() error) error { t.Error("it leads"); return nil })
	if fault.Of(err) != fault.Blocked || !strings.Contains(fmt.Sprint(err), "leases") || !strings.Contains(fault.Advice(err), "deploy/kubernetes") {
		t.Errorf("%v (%s), hint %q", err, fault.Of(err), fault.Advice(err))
	}
}

func TestALostLeaseEndsTheRunAndStandsByAgain(t *testing.T) {
	t.Parallel()
	cluster := kubetest.Start(t, kubetest.Options{})
	e := election(t, cluster.Kubeconfig(), "default", "first")
	told := make(chan error, 100)
	e.Trouble = func(err error) { told <- err }
	ctx, end := context.WithCancel(t.Context())
	terms, causes, ended := make(chan struct{}, 2), make(chan error, 2), make(chan error, 1)
	go func() {
		ended <- e.Lead(ctx, func(ctx context.Context, leads func() error) error {
			terms <- struct{}{}
			<-ctx.Done()
			causes <- errors.Join(context.Cause(ctx), leads())
			return context.Cause(ctx)
		})
	}()
	<-terms
	cluster.StopAPIServer()
	begun := time.Now()
	if err := <-causes; !errors.Is(err, kube.ErrLostLease) {
		t.Errorf("the run ended by %v", err)
	}
	if took := time.Since(begun); took > renewBound {
		t.Errorf("the run was ended %v after the API server", took)
	}
	if err := <-told; fault.Of(err) != fault.Unreachable {
		t.Errorf("it told %v", err)
	}
	if err := cluster.StartAPIServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-terms
	end()
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// renewBound is less than a lease lasts.
const renewBound = 14 * time.Second
