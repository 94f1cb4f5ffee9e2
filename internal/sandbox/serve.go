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

// Op is one operation of the child: a request as JSON gives an answer.
type Op func(ctx context.Context, request []byte) (any, error)

// Handle makes an Op of a function on decoded values. A field that it does not
// know is an error: agent and child are then of different versions.
func Handle[In, Out any](f func(context.Context, In) (Out, error)) Op {
	return func(ctx context.Context, request []byte) (any, error) {
		var in In
		dec := json.NewDecoder(bytes.NewReader(request))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&in); err != nil {
			return nil, missing(fmt.Errorf("decode the request: %w", err))
		}
		return f(ctx, in)
	}
}

// Serve is the child's main: args are the operation's name and the memory limit
// in bytes, which is set before anything is read. It returns the exit status: 0
// with the answer on stdout, 1 with a Failure on it, 64 for a wrong call, 74 for
// an answer that cannot be written.
func Serve(ctx context.Context, ops map[string]Op, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	op, memory, err := parse(ops, args)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitUsage
	}
	if err := bound(memory); err != nil {
		return write(stdout, stderr, newFailure(err), exitFailure)
	}
	answer, err := serve(ctx, op, stdin)
	if err != nil {
		return write(stdout, stderr, newFailure(err), exitFailure)
	}
	return write(stdout, stderr, answer, 0)
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

func serve(ctx context.Context, op Op, stdin io.Reader) (any, error) {
	request, err := io.ReadAll(stdin)
	if err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	return op(ctx, request)
}

func write(stdout, stderr io.Writer, v any, status int) int {
	if err := json.NewEncoder(stdout).Encode(v); err != nil {
		fmt.Fprintln(stderr, "write the answer:", err)
		return exitOutput
	}
	return status
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
