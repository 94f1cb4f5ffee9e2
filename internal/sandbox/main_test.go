package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
)

// The test binary is its own child: with an operation as its first argument it
// serves that and ends.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "version" {
		os.Exit(0)
	}
	if len(os.Args) == 3 && !strings.HasPrefix(os.Args[1], "-") {
		os.Exit(Serve(context.Background(), children(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

type text struct{ Text string }

type facts struct {
	Env          []string
	Dir          string
	Session, PID int
	Interfaces   []string
	Data         uint64
}

func children() map[string]Op {
	return map[string]Op{
		"echo":   Handle(func(_ context.Context, in text) (text, error) { return in, nil }),
		"facts":  Handle(func(context.Context, text) (facts, error) { return look() }),
		"reject": Handle(reject),
		"list":   Handle(list),
		"hog":    Handle(hog),
		"hang":   Handle(hang),
		"flood":  Handle(func(context.Context, text) (text, error) { return text{strings.Repeat("x", 4<<20)}, nil }),
		"panic":  Handle(func(context.Context, text) (text, error) { panic("\x1b[31mboom") }),
		"killed": Handle(killed),
		"babble": Handle(babble),
	}
}

func look() (facts, error) {
	dir, err := os.Getwd()
	if err != nil {
		return facts{}, err
	}
	sid, _, errno := syscall.Syscall(syscall.SYS_GETSID, 0, 0, 0)
	if errno != 0 {
		return facts{}, errno
	}
	f := facts{Env: os.Environ(), Dir: dir, Session: int(sid), PID: os.Getpid()}
	interfaces, err := net.Interfaces()
	if err != nil {
		return facts{}, err
	}
	for _, i := range interfaces {
		f.Interfaces = append(f.Interfaces, i.Name)
	}
	var limit syscall.Rlimit
	err = syscall.Getrlimit(rlimitData, &limit)
	f.Data = limit.Cur
	return f, err
}

func reject(_ context.Context, in text) (text, error) {
	return text{}, fault.Hint(fault.As(fault.Rejected, errors.New("bad \x1b[31mfield "+in.Text)), "mend \u202eit")
}

// list has several problems, and a repository's content in each.
func list(_ context.Context, in text) (text, error) {
	return text{}, fault.As(fault.Rejected, errors.Join(errors.New("field a: \x1b[31mbad"), errors.New("field b:\r"+in.Text)))
}

// hog allocates until the memory limit ends it.
func hog(context.Context, text) (text, error) {
	var all [][]byte
	for {
		block := make([]byte, 8<<20)
		for i := 0; i < len(block); i += 4096 {
			block[i] = 1
		}
		all = append(all, block)
		if len(all) > 1<<20 {
			return text{}, nil
		}
	}
}

// hang tells its process id to the file that the request names, then waits.
func hang(_ context.Context, in text) (text, error) {
	if in.Text != "" {
		if err := os.WriteFile(in.Text, fmt.Append(nil, os.Getpid()), 0o600); err != nil {
			return text{}, err
		}
	}
	<-time.After(time.Hour)
	return text{}, nil
}

func killed(context.Context, text) (text, error) {
	return text{}, syscall.Kill(os.Getpid(), syscall.SIGKILL)
}

// babble breaks the protocol.
func babble(context.Context, text) (text, error) {
	fmt.Print("this is no JSON")
	os.Exit(0)
	return text{}, nil
}
