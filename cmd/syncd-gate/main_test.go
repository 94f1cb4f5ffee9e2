package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"syncd.io/syncd/internal/gate"
	"syncd.io/syncd/internal/resource"
)

// limit is how long anything may take in these tests.
const limit = 30 * time.Second

// programPath is where TestMain lays the real program; the tests run it.
var programPath string

func TestMain(m *testing.M) { os.Exit(withProgram(m)) }

func withProgram(m *testing.M) int {
	dir, err := os.MkdirTemp("", "syncd-gate")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	programPath = filepath.Join(dir, "syncd-gate")
	build := exec.Command("go", "build", "-ldflags", "-X main.version=v1.2.3", "-o", programPath, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	if err := os.Chmod(dir, 0o755); err != nil { // another user runs it too
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// running is a gate in a process of its own.
type running struct {
	t       testing.TB
	cmd     *exec.Cmd
	dir     string
	log     lines
	address string // where it listens
}

// lines is what a process says, which is read while it says it.
type lines struct {
	mu  sync.Mutex
	all bytes.Buffer
}

// Write takes more.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

// String is all so far.
func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// start starts a gate with the table in force.
func start(t testing.TB, table gate.Table) *running {
	t.Helper()
	return startIn(t, place(t), table, nil)
}

// place is a directory whose path is short enough for a socket.
func place(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "gate")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// startIn lays the first table down, as syncd does, and starts a gate. prepare
// may change how.
func startIn(t testing.TB, dir string, table gate.Table, prepare func(*exec.Cmd)) *running {
	t.Helper()
	raw, err := table.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, gate.TableFile), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return begin(t, dir, prepare)
}

func begin(t testing.TB, dir string, prepare func(*exec.Cmd)) *running {
	t.Helper()
	g := &running{t: t, dir: dir, cmd: exec.Command(programPath, "serve", "-dir", dir, "-listen", "127.0.0.1:0")}
	g.cmd.Stderr = &g.log
	if prepare != nil {
		prepare(g.cmd)
	}
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if g.cmd.ProcessState == nil {
			_ = g.cmd.Process.Kill()
			_ = g.cmd.Wait()
		}
		if t.Failed() {
			t.Log(g.log.String())
		}
	})
	until(t, "the gate answers", func() bool {
		a, err := gate.Ask(t.Context(), dir, nil)
		g.address = a.Address
		return err == nil
	})
	return g
}

func (g *running) answer() gate.Answer {
	g.t.Helper()
	a, err := gate.Ask(g.t.Context(), g.dir, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	return a
}

// hands hands a table over with the program, as syncd does.
func (g *running) hands(table gate.Table) gate.Answer {
	g.t.Helper()
	raw, err := table.Encode()
	if err != nil {
		g.t.Fatal(err)
	}
	out, said, code := program(g.t, string(raw), "table", "-dir", g.dir)
	var a gate.Answer
	if err := json.Unmarshal([]byte(out), &a); err != nil || code != 0 || said != "" {
		g.t.Fatalf("exit %d, %q, %q, %v", code, out, said, err)
	}
	return a
}

// kill ends it without a warning.
func (g *running) kill() {
	g.t.Helper()
	if err := g.cmd.Process.Kill(); err != nil {
		g.t.Fatal(err)
	}
	_ = g.cmd.Wait()
}

// program runs a verb that ends by itself.
func program(t testing.TB, in string, args ...string) (out, said string, code int) {
	t.Helper()
	cmd := exec.Command(programPath, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(limit)
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("not in time: %s", what)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// echo is a backend that sends everything back.
func echo(t testing.TB) gate.Backend {
	t.Helper()
	config := net.ListenConfig{}
	ln, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var runs sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	runs.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			runs.Go(func() {
				defer conn.Close()
				small := make([]byte, 512)
				_, _ = io.CopyBuffer(struct{ io.Writer }{conn}, struct{ io.Reader }{conn}, small)
			})
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		mu.Lock()
		for _, conn := range conns {
			_ = conn.Close()
		}
		mu.Unlock()
		runs.Wait()
	})
	at := netip.MustParseAddrPort(ln.Addr().String())
	return gate.Backend{ID: at.Addr().String(), Port: at.Port()}
}

func tcp(backends ...gate.Backend) gate.Table {
	return gate.Table{Format: gate.Format, Mode: gate.TCP, Port: 8080, Backends: backends, Drain: resource.Duration(limit)}
}

// connect connects to the gate, and is answered.
func (g *running) connect() net.Conn {
	g.t.Helper()
	conn, err := net.Dial("tcp", g.answer().Address)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = conn.Close() })
	if err := says(conn, "hello"); err != nil {
		g.t.Fatal(err)
	}
	return conn
}

// says has something sent back.
func says(conn net.Conn, what string) error {
	if err := conn.SetDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, what); err != nil {
		return err
	}
	got := make([]byte, len(what))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != what {
		return fmt.Errorf("got %q: %w", got, err)
	}
	return nil
}

func TestTheFirstTableIsInForceFromTheStart(t *testing.T) {
	table := tcp(echo(t))
	g := start(t, table)
	if a := g.answer(); a.Digest != table.Digest() || !a.Listening || a.Version != "v1.2.3" {
		t.Errorf("it says %+v", a)
	}
	g.connect()
}

func TestTheTableIsHandedOverByTheProgram(t *testing.T) {
	b := echo(t)
	g := start(t, tcp())
	if a := g.answer(); a.Listening {
		t.Errorf("it says %+v", a)
	}
	if a := g.hands(tcp(b)); !a.Listening || a.Digest != tcp(b).Digest() {
		t.Errorf("it says %+v", a)
	}
	g.connect()
	out, said, code := program(t, "", "table", "-dir", g.dir)
	if !strings.HasPrefix(out, `{"version":"v1.2.3","digest":"`+tcp(b).Digest()) || said != "" || code != 0 {
		t.Errorf("asking: exit %d, %q, %q", code, out, said)
	}
}

func TestTheProgramWaitsForThoseWhoLeave(t *testing.T) {
	b := echo(t)
	g := start(t, tcp(b))
	conn := g.connect()
	b.Draining = true
	g.hands(tcp(b))
	out, _, _ := program(t, "", "table", "-dir", g.dir, "-wait", "20ms")
	if !strings.Contains(out, `"inFlight":1`) {
		t.Errorf("at the end of its time it says %s", out)
	}
	began, ended := time.Now(), make(chan string)
	go func() {
		out, _, _ := program(t, "", "table", "-dir", g.dir, "-wait", limit.String())
		ended <- out
	}()
	_ = conn.Close()
	if out := <-ended; !strings.Contains(out, `"inFlight":0`) {
		t.Errorf("after the last one's end it says %s", out)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestErrorsAreOneLineAndAHint(t *testing.T) {
	g := start(t, tcp())
	for _, args := range [][]string{
		{"table", "-dir", g.dir}, // the table below is none
		{"table", "-dir", filepath.Join(g.dir, "none")},
		{"serve", "-dir", g.dir},
		{"serve", "-dir", filepath.Join(g.dir, "none")},
		{"serve", "-port", "80"},
		{"table", "-dir", g.dir, "-wait", "soon"},
		{"serve", "now"},
		{"sing"},
		{},
	} {
		out, said, code := program(t, `{"format":1,"mode":"udp"}`, args...)
		lines := strings.Split(said, "\n")
		if code != 1 || out != "" || len(lines) != 3 || !strings.HasPrefix(lines[0], "error: ") || !strings.HasPrefix(lines[1], "hint: ") {
			t.Errorf("%q: exit %d, %q, %q", args, code, out, said)
		}
	}
	for _, arg := range []string{"help", "version"} {
		out, said, code := program(t, "", arg)
		if code != 0 || said != "" || !strings.Contains(out, "syncd-gate") {
			t.Errorf("%s: exit %d, %q, %q", arg, code, out, said)
		}
	}
	if out, _, _ := program(t, "", "version"); out != "syncd-gate v1.2.3\n" {
		t.Errorf("version: %q", out)
	}
}

func TestAKilledGateComesBackWithItsTable(t *testing.T) {
	b := echo(t)
	g := start(t, tcp())
	want := g.hands(tcp(b)).Digest
	g.kill()
	again := begin(t, g.dir, nil)
	if a := again.answer(); a.Digest != want || !a.Listening {
		t.Errorf("it says %+v", a)
	}
	again.connect()
}

// TestAKillAtAnyMomentLeavesAWholeTable kills gates while tables come in: the
// one on disk is whole, and not older than the last that was answered.
func TestAKillAtAnyMomentLeavesAWholeTable(t *testing.T) {
	g := start(t, tcp())
	dir := g.dir
	for round := range 10 {
		answered, tried := 0, 0
		stop := time.After(time.Duration(3+7*round) * time.Millisecond)
		for killed := false; !killed; {
			select {
			case <-stop:
				go func() { _ = g.cmd.Process.Kill() }()
			default:
			}
			tried++
			raw, err := numbered(round, tried).Encode()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := gate.Ask(t.Context(), dir, raw); err != nil {
				killed = true
			} else {
				answered = tried
			}
		}
		_ = g.cmd.Wait()
		g = begin(t, dir, nil)
		a := g.answer()
		if answered == 0 || a.Trouble != "" || (a.Digest != numbered(round, answered).Digest() && a.Digest != numbered(round, tried).Digest()) {
			t.Fatalf("round %d, %d of %d answered: it says %+v", round, answered, tried, a)
		}
	}
}

// numbered is one of many tables.
func numbered(round, n int) gate.Table {
	return tcp(gate.Backend{ID: fmt.Sprintf("%06x%06x", round+1, n), Port: 80, Draining: true})
}

func TestSIGTERMDrainsAndEndsWell(t *testing.T) {
	g := start(t, tcp(echo(t)))
	conn := g.connect()
	address := g.answer().Address
	if err := g.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	until(t, "the port is closed", func() bool {
		probe, err := net.DialTimeout("tcp", address, 500*time.Millisecond)
		if err == nil {
			_ = probe.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	})
	if err := says(conn, "still here"); err != nil {
		t.Error(err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if err := g.cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if _, err := os.Stat(filepath.Join(g.dir, "control.sock")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
}

func TestSIGTERMDoesNotWaitForeverForAConnection(t *testing.T) {
	table := tcp(echo(t))
	table.Drain = resource.Duration(50 * time.Millisecond)
	g := start(t, table)
	conn := g.connect()
	if err := g.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := g.cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the connection ended with %v", err)
	}
}

// TestItRunsAsTheFirstProcessOfNobody is what a container is: process 1 of its
// namespace, no root, no capabilities.
func TestItRunsAsTheFirstProcessOfNobody(t *testing.T) {
	if os.Getuid() != 0 {
		if testing.Short() {
			t.Skip("needs root to make a namespace")
		}
		t.Fatal("needs root to make a namespace (or run with -short)")
	}
	const nobody = 65534
	dir := place(t)
	b := echo(t)
	prepare := func(cmd *exec.Cmd) {
		for _, path := range []string{dir, filepath.Join(dir, gate.TableFile)} {
			if err := os.Chown(path, nobody, nobody); err != nil {
				t.Fatal(err)
			}
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID, Credential: &syscall.Credential{Uid: nobody, Gid: nobody, NoSetGroups: false}}
	}
	g := startIn(t, dir, tcp(b), prepare)
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(g.cmd.Process.Pid), "status"))
	if err != nil || !strings.Contains(string(status), "CapEff:\t0000000000000000") || !strings.Contains(string(status), "\t1\n") {
		t.Errorf("%v\n%s", err, status)
	}
	_ = g.connect().Close()
	if a := g.hands(tcp()); a.Listening {
		t.Errorf("it says %+v", a)
	}
	if err := g.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := g.cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// TestItTakesTheDescriptorsThatItMayHave: the limit in force is raised to the
// hard one, as Go's runtime does.
func TestItTakesTheDescriptorsThatItMayHave(t *testing.T) {
	g := startIn(t, place(t), tcp(echo(t)), func(cmd *exec.Cmd) {
		args := append([]string{"sh", "-c", `ulimit -Sn 64 && exec "$0" "$@"`}, cmd.Args...)
		cmd.Path, cmd.Args = "/bin/sh", args
	})
	for i, conn := range g.crowds(100) {
		if err := says(conn, "hello"); err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
	}
	if n := g.answer().Backends[0].InFlight; n != 100 {
		t.Errorf("%d are in flight", n)
	}
}

// TestWhoComesOverTheLimitWaits opens more connections than the gate may have
// descriptors for.
func TestWhoComesOverTheLimitWaits(t *testing.T) {
	g := startIn(t, place(t), tcp(echo(t)), func(cmd *exec.Cmd) {
		args := append([]string{"sh", "-c", `ulimit -n 64 && exec "$0" "$@"`}, cmd.Args...)
		cmd.Path, cmd.Args = "/bin/sh", args
	})
	conns := g.crowds(100)
	for i, conn := range conns {
		if err := says(conn, "hello"); err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		_ = conn.Close() // its place is the next one's
	}
	if n := g.answer().Totals; n.Accepted != 100 || n.AcceptErrors != 0 {
		t.Errorf("counted %+v", n)
	}
}

// TestAcceptErrorsBackOffAndItGoesOn takes the gate's descriptors away for a
// while.
func TestAcceptErrorsBackOffAndItGoesOn(t *testing.T) {
	g := startIn(t, place(t), tcp(echo(t)), nil)
	g.connect()
	before := g.limitFiles(nil)
	g.limitFiles(&syscall.Rlimit{Cur: 1, Max: before.Max})
	conn, err := net.Dial("tcp", g.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	began := time.Now()
	until(t, "accepting fails", func() bool { return strings.Count(g.log.String(), "too many open files") >= 6 })
	if took := time.Since(began); took < 150*time.Millisecond { // 5, 10, 20, 40, 80 and on
		t.Errorf("six errors took %s", took)
	}
	g.limitFiles(&before)
	if err := says(conn, "hello"); err != nil {
		t.Error(err)
	}
	if n := g.answer().Totals; n.AcceptErrors == 0 || n.AcceptErrors > 20 || n.Accepted != 2 {
		t.Errorf("counted %+v", n)
	}
}

// limitFiles sets how many descriptors the gate may have, nil: nothing, and
// returns how many it could.
func (g *running) limitFiles(to *syscall.Rlimit) (before syscall.Rlimit) {
	g.t.Helper()
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(g.cmd.Process.Pid), syscall.RLIMIT_NOFILE,
		uintptr(unsafe.Pointer(to)), uintptr(unsafe.Pointer(&before)), 0, 0)
	if errno != 0 {
		g.t.Fatal(errno)
	}
	return before
}

// crowds opens connections, which the kernel accepts.
func (g *running) crowds(n int) []net.Conn {
	g.t.Helper()
	address := g.answer().Address
	conns := make([]net.Conn, 0, n)
	for range n {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			g.t.Fatal(err)
		}
		g.t.Cleanup(func() { _ = conn.Close() })
		conns = append(conns, conn)
	}
	return conns
}

// TestTenThousandIdleConnections are as many as the machine lets this process
// and the gate have: a connection has two descriptors in each.
func TestTenThousandIdleConnections(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		t.Fatal(err)
	}
	n := min(10_000, (int(files.Max)-200)/2)
	g := start(t, tcp(echo(t)))
	empty := g.memory()
	conns := g.crowds(n)
	for _, conn := range conns {
		if err := says(conn, "hello"); err != nil {
			t.Fatal(err)
		}
	}
	full := g.memory()
	t.Logf("%d connections: %d KiB, %d KiB without: %.1f KiB each", n, full, empty, float64(full-empty)/float64(n))
	if a := g.answer(); a.Backends[0].InFlight != n {
		t.Errorf("it says %+v", a)
	}
	if bar := 20<<10 + 32*n; full > bar {
		t.Errorf("it has %d KiB, more than %d", full, bar)
	}
	if empty > 20<<10 {
		t.Errorf("empty it has %d KiB", empty)
	}
}

// memory is the gate's resident set, in KiB.
func (g *running) memory() int {
	g.t.Helper()
	raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(g.cmd.Process.Pid), "status"))
	if err != nil {
		g.t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmRSS:" {
			n, err := strconv.Atoi(f[1])
			if err != nil {
				g.t.Fatal(err)
			}
			return n
		}
	}
	g.t.Fatal("no VmRSS")
	return 0
}
