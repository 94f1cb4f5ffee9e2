package kubetest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// process is one program of a cluster, its log in a file.
type process struct {
	name  string
	log   string
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has been waited for
}

// run says how a program is started.
type run struct {
	name     string // of the process and of its log
	path     string
	args     []string
	env      []string
	detached bool // outlives who started it
}

// start starts a program; its log is LOGS/NAME.log. Unless it is detached the
// system kills it when this process ends, however that ends.
func start(ctx context.Context, logs string, r run) (*process, error) {
	p := &process{name: r.name, log: filepath.Join(logs, r.name+".log"), ended: make(chan struct{})}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", r.name, err)
	}
	defer out.Close() // the process has its own handle
	p.cmd = exec.CommandContext(context.WithoutCancel(ctx), r.path, r.args...)
	p.cmd.Env = append(os.Environ(), r.env...)
	p.cmd.Dir = logs
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if !r.detached {
		p.cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	}
	started := make(chan error)
	go p.keep(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", r.name, err)
	}
	return p, nil
}

// keep starts the process, says so, and waits for its end. It holds on to its
// thread: the signal for a parent's death comes when the thread dies that forked.
func (p *process) keep(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err == nil {
		_ = p.cmd.Wait() // how it ended is in its log
	}
	close(p.ended)
}

// alive tells whether the process runs.
func (p *process) alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// stop asks the process to end, gives it the time, then kills it. It returns
// when the process is gone.
func (p *process) stop(patience time.Duration) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it fails when it has ended, which is what is wanted
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.ended:
	case <-timer.C:
		_ = p.cmd.Process.Kill() // likewise
		<-p.ended
	}
}

// tail returns the last lines of a log.
func tail(path string, lines int) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := bytes.Split(bytes.TrimSpace(content), []byte("\n"))
	return string(bytes.Join(all[max(0, len(all)-lines):], []byte("\n")))
}
