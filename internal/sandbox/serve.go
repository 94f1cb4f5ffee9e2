package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// The child's exit statuses; 2 is also how the Go runtime ends a program, and 64
// and 74 are those of sysexits.h.
const (
	exitFailure = 1
	exitUsage   = 64
	exitOutput  = 74
)

// rlimitData is RLIMIT_DATA, which package syscall does not name on Linux. Since
// Linux 4.7 it counts all private writable memory, so it ends a Go program
// cleanly at its limit.
const rlimitData = 2

// Op is one operation of the child: a request as JSON gives answers, each of which
// is handed to answer, which fails where it cannot be written.
type Op func(ctx context.Context, request []byte, answer func(any) error) error

// Handle makes an Op of a function on decoded values, for Child.Call. A field that
// it does not know is an error: agent and child are then of different versions.
func Handle[In, Out any](f func(context.Context, In) (Out, error)) Op {
	return func(ctx context.Context, request []byte, answer func(any) error) error {
		in, err := decode[In](request)
		if err != nil {
			return err
		}
		out, err := f(ctx, in)
		if err != nil {
			return err
		}
		return answer(out)
	}
}

// HandleEach makes an Op of a function that gives several answers, for CallEach: it
// hands each of them to reply, or the error that stands in its place, and goes on
// unless reply itself fails.
func HandleEach[In, Out any](f func(ctx context.Context, in In, reply func(Out, error) error) error) Op {
	return func(ctx context.Context, request []byte, answer func(any) error) error {
		in, err := decode[In](request)
		if err != nil {
			return err
		}
		return f(ctx, in, func(out Out, err error) error {
			if err != nil {
				failure := newFailure(err)
				return answer(reply[Out]{Failure: &failure})
			}
			return answer(reply[Out]{Answer: &out})
		})
	}
}

func decode[In any](request []byte) (in In, err error) {
	dec := json.NewDecoder(bytes.NewReader(request))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return in, missing(fmt.Errorf("decode the request: %w", err))
	}
	return in, nil
}

// Serve is the child's main: args are the operation's name and the memory limit
// in bytes, which is set before anything is read. It returns the exit status: 0
// with the answers on stdout, a line each, 1 with a Failure on its last line, 64 for
// a wrong call, 74 for an answer that cannot be written.
func Serve(ctx context.Context, ops map[string]Op, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	op, memory, err := parse(ops, args)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitUsage
	}
	out, status := &output{to: stdout}, 0
	if err = bound(memory); err == nil {
		err = serve(ctx, op, stdin, out.write)
	}
	if err != nil && out.broken == nil {
		status, out.broken = exitFailure, out.write(newFailure(err))
	}
	if out.broken != nil {
		fmt.Fprintln(stderr, "write the answer:", out.broken)
		return exitOutput
	}
	return status
}

// output is where answers go; broken is why the last of them could not.
type output struct {
	to     io.Writer
	broken error
}

func (o *output) write(answer any) error {
	o.broken = json.NewEncoder(o.to).Encode(answer)
	return o.broken
}

func parse(ops map[string]Op, args []string) (Op, int64, error) {
	usage := fmt.Errorf("usage: %s %s MEMORY-BYTES <request >answer (started by syncd, not by people)", Program, strings.Join(slices.Sorted(maps.Keys(ops)), "|"))
	if len(args) != 2 || ops[args[0]] == nil {
		return nil, 0, usage
	}
	memory, err := strconv.ParseInt(args[1], 10, 64)
	if err != nil || memory <= 0 {
		return nil, 0, usage
	}
	return ops[args[0]], memory, nil
}

func serve(ctx context.Context, op Op, stdin io.Reader, answer func(any) error) error {
	request, err := io.ReadAll(stdin)
	if err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	return op(ctx, request, answer)
}

// bound sets the memory limit on this process. The garbage collector works
// harder from 7/8 of it on, so that only what is really needed counts. No core
// is written: it would hold secrets.
func bound(memory int64) error {
	debug.SetMemoryLimit(memory - memory/8)
	limit := &syscall.Rlimit{Cur: uint64(memory), Max: uint64(memory)}
	core := &syscall.Rlimit{}
	err := errors.Join(syscall.Setrlimit(rlimitData, limit), syscall.Setrlimit(syscall.RLIMIT_CORE, core))
	return os.NewSyscallError("setrlimit", err)
}
