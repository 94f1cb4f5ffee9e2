package render

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/sandbox"
)

// The test binary is its own child.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "render" {
		ops := map[string]sandbox.Op{"render": sandbox.HandleEach(play)}
		os.Exit(sandbox.Serve(context.Background(), ops, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// play answers every app of a batch as its name says, and tells in the notes which
// child that was, and beside whom.
func play(ctx context.Context, batch Batch, reply func(Answer, error) error) error {
	if batch.Shared.Root == "/of-another-version" {
		return fault.As(fault.Blocked, errors.New("unknown field"))
	}
	var names []string
	for _, req := range batch.Requests {
		names = append(names, req.App.Name)
	}
	for _, req := range batch.Requests {
		answer := Answer{Inputs: []string{req.App.Name}, Notes: append([]string{strconv.Itoa(os.Getpid())}, names...)}
		for path := range batch.Shared.Tracked {
			answer.Variables = append(answer.Variables, path)
		}
		if err := reply(answer, act(ctx, req)); err != nil {
			return err
		}
	}
	return nil
}

// act does what an app's name says, up to a dash. HostDir is a directory in which the
// child tells that it has begun, and finds out when a gate opens.
func act(ctx context.Context, req Request) error {
	if req.HostDir != "" {
		if err := os.WriteFile(filepath.Join(req.HostDir, req.App.Name), []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
			return err
		}
	}
	name, _, _ := strings.Cut(req.App.Name, "-")
	switch name {
	case "reject":
		return fault.Hint(fault.As(fault.Rejected, errors.New("field "+req.App.Name)), "mend it")
	case "gate":
		return poll(ctx, func() bool { _, err := os.Stat(filepath.Join(req.HostDir, "open "+req.App.Name)); return err == nil })
	case "spin":
		runtime.LockOSThread()
		_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, -19)
		for time.Since(time.Time{}) > 0 {
			runtime.KeepAlive(req)
		}
	case "crash":
		panic("boom")
	case "killed":
		return syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "hog":
		var all [][]byte
		for range 1 << 10 {
			block := make([]byte, 8<<20)
			for i := 0; i < len(block); i += 4096 {
				block[i] = 1
			}
			all = append(all, block)
		}
		return errors.New("there is memory for " + strconv.Itoa(len(all)))
	case "flood":
		return errors.New(strings.Repeat("x", 8<<20))
	}
	return nil
}

// poll waits until something holds.
func poll(ctx context.Context, holds func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// stage is a renderer whose children are played, and a directory in which they tell
// what they do.
type stage struct {
	*testing.T
	*Child
	dir    string
	shared *Shared
}

func newStage(t *testing.T) *stage {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	limits := config.Limits{RenderTime: config.Duration(20 * time.Second), FetchMemory: 512 << 20, RenderSize: 1 << 20}
	return &stage{T: t, Child: &Child{Sandbox: sandbox.Child{Path: path}, Limits: limits}, dir: t.TempDir(), shared: &Shared{Root: "/a"}}
}

// result is what came of a request.
type result struct {
	app    string
	answer Answer
	err    error
	took   time.Duration
}

// ask asks for an app, and tells where the result will be.
func (s *stage) ask(ctx context.Context, shared *Shared, app string) <-chan result {
	out, begun := make(chan result, 1), time.Now()
	go func() {
		answer, err := s.Render(ctx, Request{Shared: shared, App: App{Name: app}, HostDir: s.dir})
		out <- result{app, answer, err, time.Since(begun)}
	}()
	return out
}

// get waits for a result.
func (s *stage) get(out <-chan result) result {
	s.Helper()
	select {
	case r := <-out:
		return r
	case <-time.After(time.Minute):
		s.Fatal("no answer")
		return result{}
	}
}

// begun waits until a child works on an app, and returns its process.
func (s *stage) begun(app string) (pid int) {
	s.Helper()
	if err := poll(s.Context(), func() bool {
		data, _ := os.ReadFile(filepath.Join(s.dir, app))
		pid, _ = strconv.Atoi(string(data))
		return pid != 0
	}); err != nil {
		s.Fatalf("%s does not begin: %v", app, err)
	}
	return pid
}

// hold takes all places, until it is told to let go.
func (s *stage) hold() (release func()) {
	s.Helper()
	var held []<-chan result
	gates := names("gate-hold", places())
	for _, gate := range gates {
		held = append(held, s.ask(s.Context(), &Shared{}, gate))
		s.begun(gate)
	}
	return func() {
		s.Helper()
		for i, gate := range gates {
			s.open(gate)
			if r := s.get(held[i]); r.err != nil {
				s.Error(r.err)
			}
		}
	}
}

// crowd lets apps wait, in this order, and then lets them go. Those with an odd number
// are of the other snapshot.
func (s *stage) crowd(other *Shared, apps ...string) []<-chan result {
	s.Helper()
	var out []<-chan result
	release := s.hold()
	for i, app := range apps {
		out = append(out, s.ask(s.Context(), []*Shared{s.shared, other}[i%2], app))
		s.waiting(i + 1)
	}
	release()
	return out
}

// open lets a gate go on.
func (s *stage) open(gate string) {
	s.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, "open "+gate), nil, 0o600); err != nil {
		s.Fatal(err)
	}
}

// waiting waits until so many wait.
func (s *stage) waiting(n int) {
	s.Helper()
	s.until(func(q *queue) bool { return len(q.waiting) == n })
}

// rested waits until all places are free.
func (s *stage) rested() {
	s.Helper()
	s.until(func(q *queue) bool {
		return q.busy == 0 && q.judging == 0 && len(q.waiting) == 0 && len(q.suspects) == 0
	})
}

func (s *stage) until(holds func(*queue) bool) {
	s.Helper()
	if err := poll(s.Context(), func() bool {
		s.queue.mu.Lock()
		defer s.queue.mu.Unlock()
		return holds(&s.queue)
	}); err != nil {
		s.Fatalf("it never comes to that: %v", err)
	}
}
