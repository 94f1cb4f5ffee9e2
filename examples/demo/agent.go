package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// agent is syncd run as a child process.
type agent struct {
	cmd   *exec.Cmd
	ended chan struct{}

	mu    sync.Mutex
	lines []string
}

// startAgent runs the program in a process group of its own, so that Ctrl-C
// reaches it through stop only, and passes its lines to tell. The returned
// context ends with the agent.
func startAgent(ctx context.Context, syncd, config string, tell func(string)) (context.Context, *agent, error) {
	a := &agent{cmd: exec.Command(syncd, "run", "--config", config, "--log-format", "text"), ended: make(chan struct{})} //nolint:noctx // its end is stop: SIGTERM first, also after ctx ended
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	read, write := io.Pipe()
	a.cmd.Stdout, a.cmd.Stderr = write, write
	a.cmd.WaitDelay = 5 * time.Second
	if err := a.cmd.Start(); err != nil {
		return ctx, nil, fmt.Errorf("start the agent: %w", err)
	}
	alive, end := context.WithCancelCause(ctx)
	go a.listen(read, tell)
	go func() {
		err := a.cmd.Wait()
		end(fmt.Errorf("the agent ended: %w", errors.Join(err, write.Close())))
		close(a.ended)
	}()
	return alive, a, nil
}

func (a *agent) listen(from io.Reader, tell func(string)) {
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		a.mu.Lock()
		a.lines = append(a.lines, lines.Text())
		a.mu.Unlock()
		tell(lines.Text())
	}
	if lines.Err() != nil { // a line that is too long; the agent must not block on it
		_, _ = io.Copy(io.Discard, from)
	}
}

// short is a line of the log without what the story's reader does not need.
func short(line string) string {
	if rest, ok := strings.CutPrefix(line, "time="); ok {
		_, line, _ = strings.Cut(rest, " ")
	}
	return cut(strings.TrimPrefix(line, "level=INFO "), 160)
}

// cut is the beginning of a text that is too long to be shown.
func cut(text string, letters int) string {
	if runes := []rune(text); len(runes) > letters {
		return string(runes[:letters]) + "…"
	}
	return text
}

// said returns the lines since the first n, and how many there are in all.
func (a *agent) said(n int) ([]string, int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.lines[n:], len(a.lines)
}

// stop asks the agent to end and kills it, with its children, where it does not.
func (a *agent) stop() error {
	select {
	case <-a.ended:
		return nil
	default:
	}
	if err := a.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("ask the agent to stop: %w", err)
	}
	select {
	case <-a.ended:
		return nil
	case <-time.After(30 * time.Second):
	}
	if err := syscall.Kill(-a.cmd.Process.Pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill the agent: %w", err)
	}
	<-a.ended
	return errors.New("the agent did not stop within 30 s of SIGTERM and was killed")
}

// mentions tells whether a line of the agent speaks of drift, or of the slot.
func mentions(lines []string, slot string) bool {
	for _, line := range lines {
		if strings.Contains(strings.ToLower(line), "drift") || strings.Contains(line, slot) {
			return true
		}
	}
	return false
}
