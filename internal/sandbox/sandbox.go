// Package sandbox starts and bounds the child that handles untrusted content.
// What crosses the border is plain data: a request as JSON on the child's
// standard input, an answer or a Failure as JSON on its standard output. The
// child has an empty environment, a session of its own, a wall-clock limit, a
// memory limit that it sets itself before it works, and no network where the
// system allows that and the caller asks for it.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"syncd.io/syncd/internal/fault"
)

// Program is the file name of the child.
const Program = "syncd-render"

// probeTime bounds the trial runs that Find makes.
const probeTime = 10 * time.Second

// Child is the program that does untrusted work.
type Child struct {
	// Path is the program's file.
	Path string
	// Ran is told of each call that ended, from several goroutines at once, and must not
	// block; nil is nobody.
	Ran func(Run)
	// isolate are the clone flags that take the network away; 0 where the system
	// allows none.
	isolate uintptr
}

// Find returns the child beside the running program, else on the PATH, and
// tries once whether it runs, and whether it can be cut off from the network.
// Errors: Blocked, with a hint, where there is none or it does not run; the
// context's cause where ctx ended.
func Find(ctx context.Context) (Child, error) {
	path, err := locate()
	if err != nil {
		return Child{}, err
	}
	return Probe(ctx, path)
}

func locate() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find the running program: %w", err)
	}
	beside := filepath.Join(filepath.Dir(self), Program)
	if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
		return beside, nil
	}
	path, err := exec.LookPath(Program)
	if err != nil {
		return "", missing(fmt.Errorf("find %s: it is neither beside %s nor on the PATH", Program, self))
	}
	return filepath.Abs(path)
}

func missing(err error) error {
	return fault.Hint(fault.As(fault.Blocked, err), "install "+Program+" into the directory of syncd; both come in one archive and must be of one version")
}

// Probe returns the child at path after trial runs: plain, and without network
// in the ways that the system may allow. Which of them works is decided here,
// once. Errors are those of Find.
func Probe(ctx context.Context, path string) (Child, error) {
	if err := trial(ctx, Child{Path: path}); ctx.Err() != nil {
		return Child{}, fmt.Errorf("try %s: %w", path, context.Cause(ctx))
	} else if err != nil {
		return Child{}, missing(fmt.Errorf("run %s: %w", path, err))
	}
	for _, flags := range []uintptr{syscall.CLONE_NEWNET, syscall.CLONE_NEWNET | syscall.CLONE_NEWUSER} {
		c := Child{Path: path, isolate: flags}
		if trial(ctx, c) == nil {
			return c, nil
		}
	}
	if ctx.Err() != nil { // none of them failed by itself
		return Child{}, fmt.Errorf("try %s: %w", path, context.Cause(ctx))
	}
	return Child{Path: path}, nil
}

// trial runs "syncd-render version", which every child knows.
func trial(ctx context.Context, c Child) error {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	cmd := c.command(ctx, false, "version")
	if err := cmd.Run(); err != nil {
		return errors.Join(err, context.Cause(ctx))
	}
	return nil
}

// Isolates tells whether a call without Limits.Network really has no network.
func (c Child) Isolates() bool { return c.isolate != 0 }

// command prepares one run: own session, so that a terminal's Ctrl-C does not
// reach it and the whole group can be killed; killed by the kernel with its
// parent; no environment but the language and, where it does not fetch, less haste of
// the garbage collector: it would run once before main is reached, for a sixth of what
// a start costs.
func (c Child) command(ctx context.Context, network bool, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.Path, args...)
	cmd.Env = []string{"LANG=C"}
	if !network {
		cmd.Env = append(cmd.Env, "GOGC=200")
	}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if !network && c.isolate != 0 {
		cmd.SysProcAttr.Cloneflags = c.isolate
		if c.isolate&syscall.CLONE_NEWUSER != 0 {
			cmd.SysProcAttr.UidMappings = identity(os.Getuid())
			cmd.SysProcAttr.GidMappings = identity(os.Getgid())
		}
	}
	cmd.Cancel = func() error { return kill(cmd.Process) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// kill ends a child and its group. Where the child was waited for already, its
// number may be somebody else's by now: then nobody is sent anything.
func kill(child *os.Process) error {
	if err := child.Kill(); err != nil {
		return err
	}
	if err := syscall.Kill(-child.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return os.NewSyscallError("kill", err)
	}
	return nil
}

func identity(id int) []syscall.SysProcIDMap {
	return []syscall.SysProcIDMap{{ContainerID: id, HostID: id, Size: 1}}
}
