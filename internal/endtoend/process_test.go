package endtoend_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/docker/dockertest"
)

// process is the real agent, running.
type process struct {
	cmd *exec.Cmd
	log lockedBuffer
}

// lockedBuffer is written by a process and read by a test.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// runProcess starts syncd run with a configuration of repo's own lines. It ends
// with the test.
func (h *host) runProcess(repo string) *process {
	h.t.Helper()
	file := filepath.Join(h.t.TempDir(), "syncd.yaml")
	text := fmt.Sprintf("repo:\n%sstate: %s\nsocket: %s\n", repo, h.state, filepath.Join(h.state, "syncd.sock"))
	h.must(os.WriteFile(file, []byte(text), 0o600))
	p := h.launch(exec.Command(agentProgram(h.t), "run", "--config", file))
	h.t.Cleanup(func() {
		h.must(p.cmd.Process.Signal(syscall.SIGTERM))
		if err := p.cmd.Wait(); err != nil {
			h.t.Errorf("syncd run ended with %v\n%s", err, p.log.String())
		}
	})
	return p
}

// launch starts an agent. It is killed with the test, if it has not ended before.
func (h *host) launch(cmd *exec.Cmd) *process {
	h.t.Helper()
	p := &process{cmd: cmd}
	cmd.Stdout, cmd.Stderr = &p.log, &p.log
	h.must(cmd.Start())
	h.t.Cleanup(func() {
		if cmd.ProcessState == nil {
			p.kill(h.t)
		}
	})
	return p
}

// kill ends it as kill -9 does.
func (p *process) kill(t testing.TB) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = p.cmd.Wait() // it was killed
}

// deployed waits until the agent has made a commit good.
func (h *host) deployed(p *process) {
	h.t.Helper()
	dockertest.Eventually(h.t, "the agent has deployed", h.synced)
}

// synced tells whether an agent says so of all apps.
func (h *host) synced() bool {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, agentProgram(h.t), "status", "--state", h.state, "-o", "json")
	out, err := cmd.CombinedOutput()
	return err == nil && bytes.Contains(out, []byte(`"Synced"`))
}

// rss is the memory that the process has, in bytes.
func (p *process) rss() (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("no VmRSS in %s", text)
}

// cpu is the time that its threads were on a CPU.
func (p *process) cpu() (time.Duration, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	var total time.Duration
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return 0, err
		}
		var on int64
		if _, err := fmt.Sscan(string(text), &on); err != nil {
			return 0, fmt.Errorf("read %s: %w", file, err)
		}
		total += time.Duration(on)
	}
	return total, nil
}

// spent is the CPU time of the process, and of the children that have ended, in steps of
// ten milliseconds.
func (p *process) spent() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), ") ") // behind the name
	fields := strings.Fields(rest)
	const utime, cstime = 11, 14 // their places there, see proc(5)
	if len(fields) <= cstime {
		return 0, fmt.Errorf("no times in %s", text)
	}
	var total time.Duration
	for _, field := range fields[utime : cstime+1] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read %s: %w", text, err)
		}
		total += time.Duration(ticks) * 10 * time.Millisecond
	}
	return total, nil
}
