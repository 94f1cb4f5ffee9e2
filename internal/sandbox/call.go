package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// Why a call was ended from here, told apart by context.Cause.
var (
	errDeadline = errors.New("deadline")
	errOutput   = errors.New("output limit")
)

// stderrLimit is how much of the child's messages is kept, in bytes.
const stderrLimit = 8 << 10

// Call runs one operation of the child: in is sent as JSON, its answer is
// decoded into out. Errors: the context's cause where ctx ended; the class that
// the child gave; Rejected for too much memory or output; limits.TimeoutClass
// for too much time and for a child that crashed; Unreachable where the machine
// is to blame: something else killed the child, gave it no threads, or let it
// wait until its time was over.
func (c Child) Call(ctx context.Context, op string, in, out any, limits Limits) error {
	answer, err := c.run(ctx, op, in, nil, limits)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return limits.garbled(op, err)
	}
	return nil
}

// CallEach runs an operation of the child that gives several answers (HandleEach),
// and hands each of them to take as soon as it is there, or the error that stands in
// its place. Time and Output are limits of each answer, Memory is that of all. An
// error of take ends the child, and is returned; the other errors are those of Call,
// and answers may have come before them.
func CallEach[Out any](ctx context.Context, c Child, op string, in any, take func(Out, error) error, limits Limits) error {
	rest, err := c.run(ctx, op, in, func(line []byte) (bool, error) {
		var r reply[Out]
		if err := json.Unmarshal(line, &r); err != nil {
			return false, limits.garbled(op, err)
		}
		switch {
		case r.Answer != nil:
			return true, take(*r.Answer, nil)
		case r.Failure != nil:
			var none Out
			return true, take(none, r.Failure.fault())
		}
		return false, nil // the Failure of the whole
	}, limits)
	if err == nil && len(rest) > 0 {
		return limits.garbled(op, errors.New("it wrote something else"))
	}
	return err
}

// run starts the child, waits for its end, and returns what it wrote and line did
// not take. Where line is set it gets each line; each that it takes begins the time
// anew, and an error of it ends the child. The thread is locked: the kernel's
// kill-with-parent looks at the thread that started the child.
func (c Child) run(ctx context.Context, op string, in any, line func([]byte) (taken bool, err error), limits Limits) ([]byte, error) {
	if err := limits.validate(); err != nil {
		return nil, err
	}
	request, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("encode the request of %s: %w", op, err)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	bounded, end := context.WithCancelCause(ctx)
	defer end(nil)
	deadline := time.AfterFunc(limits.Time, func() { end(errDeadline) })
	defer deadline.Stop()

	cmd := c.command(bounded, limits.Network, op, strconv.FormatInt(limits.Memory, 10))
	stdout := &buffer{limit: limits.Output, full: func() { end(errOutput) }}
	var refused error
	if line != nil {
		stdout.line = func(text []byte) bool {
			taken, err := line(text)
			if refused = err; err != nil {
				end(err)
			} else if taken {
				deadline.Reset(limits.Time)
			}
			return taken && err == nil
		}
	}
	stderr := &buffer{limit: stderrLimit}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(request), stdout, stderr
	begun := time.Now()
	err = cmd.Run()
	cause := context.Cause(bounded)
	c.tell(op, cmd, cause, time.Since(begun))
	switch {
	case refused != nil && ctx.Err() == nil:
		return nil, refused
	case errors.Is(cause, errOutput) || cause != nil && err != nil:
		return nil, ended(ctx, cause, op, limits, computed(cmd))
	case err == nil:
		return stdout.data, nil
	}
	return nil, failed(err, op, stdout.data, string(stderr.data), limits)
}

// computed is the processor time that an ended child has used.
func computed(cmd *exec.Cmd) time.Duration {
	if cmd.ProcessState == nil { // it never started
		return 0
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// ended translates the reason for which a call was cut off from here.
func ended(ctx context.Context, cause error, op string, limits Limits, cpu time.Duration) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", op, context.Cause(ctx))
	case errors.Is(cause, errOutput):
		return limits.tooLong(op)
	default:
		return limits.tooSlow(op, cpu)
	}
}

// failed translates the end that the child came to by itself.
func failed(err error, op string, stdout []byte, stderr string, limits Limits) error {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return fault.As(fault.Unreachable, fmt.Errorf("run %s: %w", op, err))
	}
	if exit.ExitCode() == exitFailure {
		var f Failure
		if json.Unmarshal(stdout, &f) == nil && f.Error != "" {
			return f.fault()
		}
	}
	switch {
	case outOfThreads(stderr):
		return fault.Hint(fault.As(fault.Unreachable, fmt.Errorf("%s got no more threads from the system", op)), "raise what limits processes here (TasksMax of the service, --pids-limit of the container, ulimit -u), or see who uses them up")
	case outOfMemory(stderr):
		return limits.tooBig(op)
	}
	text := resource.Harmless(stderr, 300)
	if exit.ExitCode() == exitUsage {
		return missing(fmt.Errorf("%s: %s", op, text))
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
		return fault.Hint(fault.As(fault.Unreachable, fmt.Errorf("%s was killed from outside %s", op, text)), "see whether the machine ran out of memory: dmesg | grep -i oom")
	}
	return fault.As(limits.TimeoutClass, fmt.Errorf("%s crashed (%w): %s", op, exit, text))
}

// outOfMemory knows how a Go program ends that meets RLIMIT_DATA: mostly it says
// so, but where the garbage collector gets no memory for itself, it runs into a
// nil pointer on its own stack. (One in the program's code reads "panic:".)
func outOfMemory(stderr string) bool {
	if strings.HasPrefix(stderr, "SIGSEGV: segmentation violation") {
		return true
	}
	return says(stderr, "out of memory", "cannot allocate memory", "cannot map pages in arena")
}

// outOfThreads knows how a Go program ends that the system gives no thread, with
// and without cgo. No content asks for threads: their number is the host's limit.
func outOfThreads(stderr string) bool {
	return says(stderr, "failed to create new OS thread", "pthread_create failed")
}

func says(stderr string, texts ...string) bool {
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(stderr, text) })
}

// buffer keeps the first limit bytes and calls full, where set, at the first
// byte too much. It keeps the beginning, not the end: a Go program that dies
// says why in its first lines, and goroutine traces follow.
type buffer struct {
	data  []byte
	limit int64
	full  func()
	// line, where set, gets each line as soon as it is whole. What it takes is not
	// kept, and the limit begins anew; after one that it leaves, all is kept.
	line func([]byte) (taken bool)
}

// Write never fails: a child that is about to be killed needs no broken pipe.
func (b *buffer) Write(p []byte) (int, error) {
	length := len(p)
	for b.line != nil {
		end := bytes.IndexByte(p, '\n') + 1
		if end == 0 {
			break
		}
		if !b.add(p[:end]) || !b.line(b.data) {
			b.line = nil
		} else {
			b.data = b.data[:0]
		}
		p = p[end:]
	}
	b.add(p)
	return length, nil
}

// add tells whether there was room.
func (b *buffer) add(p []byte) bool {
	room := min(int64(len(p)), b.limit-int64(len(b.data)))
	b.data = append(b.data, p[:room]...)
	if room < int64(len(p)) && b.full != nil {
		b.full()
	}
	return room == int64(len(p))
}
