package source_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// resident is an agent on this machine, and what it and its children have in memory.
type resident struct {
	*testing.B
	cmd  *exec.Cmd
	peak map[string]float64 // of a process, and of all at once, in MiB
}

// BenchmarkAgentLarge runs the agent itself on the large repository, whose apps are
// nonsense to a renderer: what it has at most in memory, and each of its children has, and
// all have together, from the first clone on. An engine is needed, and left alone.
func BenchmarkAgentLarge(b *testing.B) {
	g := large(b)
	s := serve(b, g)
	dir := b.TempDir()
	for _, name := range []string{"syncd", "syncd-render"} {
		if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, name), "../../cmd/"+name).CombinedOutput(); err != nil {
			b.Fatalf("go build: %v\n%s", err, out)
		}
	}
	config := fmt.Sprintf("repo: {url: %q, ref: {branch: main}, interval: 1s, maxInterval: 1s, auth: {allowHTTP: true}}\nstate: %s\nsocket: %s\n", s.URL, filepath.Join(dir, "state"), filepath.Join(dir, "s"))
	if err := os.WriteFile(filepath.Join(dir, "syncd.yaml"), []byte(config), 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		a := &resident{B: b}
		a.start(dir)
		commit := g.git("rev-parse", "main")
		a.measured("clone", func() { a.until(dir, commit) })
		a.measured("apps", func() { a.quiet(5 * time.Second) })
		a.measured("poll", func() { a.quiet(10 * time.Second) })
		commit = g.more(1)
		a.measured("commit", func() { a.until(dir, commit) })
		a.measured("its-apps", func() { a.quiet(5 * time.Second) })
		a.end()
		a.start(dir)
		a.measured("restart", func() { a.quiet(10 * time.Second) })
		a.end()
	}
}

func (a *resident) start(dir string) {
	a.Helper()
	a.cmd = exec.Command(filepath.Join(dir, "syncd"), "run", "--config", filepath.Join(dir, "syncd.yaml"))
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		a.Fatal(err)
	}
	defer log.Close()
	a.cmd.Stdout, a.cmd.Stderr = log, log
	if err := a.cmd.Start(); err != nil {
		a.Fatal(err)
	}
}

func (a *resident) end() {
	a.Helper()
	if err := a.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		a.Fatal(err)
	}
	if err := a.cmd.Wait(); err != nil {
		a.Fatal(err)
	}
}

// measured reports what is in memory at most while something is done. What the agent
// had before counts no more.
func (a *resident) measured(what string, do func()) {
	a.Helper()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", a.cmd.Process.Pid), []byte("5"), 0o600); err != nil {
		a.Fatal(err)
	}
	a.peak = map[string]float64{}
	do()
	for who, most := range a.peak {
		a.ReportMetric(most, what+"-"+who+"-MiB")
	}
}

// until waits for the files of a commit.
func (a *resident) until(dir, commit string) {
	a.Helper()
	a.watch(func() bool {
		_, err := os.Stat(filepath.Join(dir, "state/commits", commit))
		return err == nil
	})
}

// quiet waits until there was no child for so long.
func (a *resident) quiet(d time.Duration) {
	a.Helper()
	last := time.Now()
	a.watch(func() bool {
		if len(children(a.cmd.Process.Pid)) > 0 {
			last = time.Now()
		}
		return time.Since(last) > d
	})
}

// watch looks at every process each few milliseconds: the most that one had at any time is
// known to the system, as long as it is there.
func (a *resident) watch(done func() bool) {
	a.Helper()
	tick, late := time.NewTicker(3*time.Millisecond), time.After(5*time.Minute)
	defer tick.Stop()
	for !done() {
		sum := residing(a.cmd.Process.Pid, "smaps_rollup", "Pss")
		a.most("agent", residing(a.cmd.Process.Pid, "status", "VmHWM"))
		for _, child := range children(a.cmd.Process.Pid) {
			if op := operation(child); op != "" {
				a.most(op, residing(child, "status", "VmHWM"))
			}
			sum += residing(child, "smaps_rollup", "Pss")
		}
		a.most("all", sum)
		select {
		case <-tick.C:
		case <-late:
			a.Fatal("it takes too long")
		}
	}
}

func (a *resident) most(who string, mib float64) { a.peak[who] = max(a.peak[who], mib) }

// children are the processes that a process has started.
func children(pid int) []int {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // it may have ended
	var out []int
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		for _, field := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				out = append(out, child)
			}
		}
	}
	return out
}

// operation is what a child of the agent does: its first argument. One that was started
// this moment is still the agent.
func operation(pid int) string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	words := strings.Split(string(text), "\x00")
	if len(words) < 3 || !strings.HasSuffix(words[0], "syncd-render") {
		return ""
	}
	return words[1]
}

// residing is a line of what the system tells of a process, in MiB; 0 of one that has
// ended. Pss counts what several have in common once: the children are one program.
func residing(pid int, file, field string) float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	_, rest, _ := strings.Cut(string(text), field+":")
	line, _, _ := strings.Cut(rest, " kB")
	kib, _ := strconv.ParseFloat(strings.TrimSpace(line), 64)
	return kib / 1024
}
