package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
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
		"spin":   Handle(spin),
		"crowd":  Handle(crowd),
		"mute":   Handle(func(context.Context, text) (any, error) { return make(chan int), nil }),
		"babble": Handle(babble),
		"each":   HandleEach(each),
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

// spin computes until it is ended, before all others where it may: how busy the
// machine is must not decide the test.
func spin(context.Context, text) (text, error) {
	runtime.LockOSThread()
	if err := syscall.Setpriority(syscall.PRIO_PROCESS, 0, -19); err != nil && os.Getuid() == 0 {
		return text{}, err
	}
	n := 0
	for time.Since(time.Time{}) > 0 {
		n++
	}
	return text{fmt.Sprint(n)}, nil
}

// crowd wants more threads than its user may have, as on a host whose TasksMax
// or nproc is used up by others.
func crowd(context.Context, text) (text, error) {
	if err := syscall.Setrlimit(rlimitNproc, &syscall.Rlimit{Cur: 1, Max: 1}); err != nil {
		return text{}, err
	}
	if os.Getuid() == 0 { // whom the limit does not bind
		if err := syscall.Setuid(54321); err != nil {
			return text{}, err
		}
	}
	for range 100 {
		go func() {
			runtime.LockOSThread()
			select {}
		}()
	}
	<-time.After(time.Hour)
	return text{}, nil
}

// rlimitNproc is RLIMIT_NPROC, which package syscall does not name.
const rlimitNproc = 6

func killed(context.Context, text) (text, error) {
	return text{}, syscall.Kill(os.Getpid(), syscall.SIGKILL)
}

// babble breaks the protocol.
func babble(context.Context, text) (text, error) {
	fmt.Print("this is no JSON")
	os.Exit(0)
	return text{}, nil
}

// each does for every word of the request what it says.
func each(ctx context.Context, in text, reply func(text, error) error) error {
	for word := range strings.FieldsSeq(in.Text) {
		var err error
		switch word {
		case "reject":
			_, err = reject(ctx, text{"x"})
		case "wait":
			<-time.After(1300 * time.Millisecond)
		case "hang":
			<-time.After(time.Hour)
		case "killed":
			_, err = killed(ctx, in)
		case "give-up":
			return fault.As(fault.Blocked, errors.New("no more"))
		case "half":
			word = strings.Repeat("x", 600<<10)
		case "flood":
			word = strings.Repeat("x", 2<<20)
		}
		if err := reply(text{word}, err); err != nil {
			return err
		}
	}
	return nil
}
