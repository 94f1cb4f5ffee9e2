package main

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// units are what is shipped for systemd.
const units = "../../deploy/systemd"

// unitLine is the value of a key in a unit.
func unitLine(t *testing.T, unit, key string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(units, unit))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^` + key + `=(.*)$`).FindSubmatch(text)
	if m == nil {
		t.Fatalf("%s has no %s", unit, key)
	}
	return string(m[1])
}

// standIn does what systemd does for one service of Type=notify: it listens, and it
// ends who is silent, and starts it anew.
type standIn struct {
	t        *testing.T
	conn     *net.UnixConn
	address  string
	watchdog time.Duration
	heard    chan string
}

// newStandIn listens at an address: a path, or an abstract one, which begins with @.
func newStandIn(t *testing.T, address string, watchdog time.Duration) *standIn {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	s := &standIn{t: t, conn: conn, address: address, watchdog: watchdog, heard: make(chan string, 1000)}
	go func() {
		defer close(s.heard)
		for buf := make([]byte, 4096); ; {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			s.heard <- string(buf[:n])
		}
	}()
	return s
}

// until waits for a message that begins so.
func (s *standIn) until(begin string) string {
	s.t.Helper()
	late := time.After(time.Minute)
	for {
		select {
		case state := <-s.heard:
			if strings.HasPrefix(state, begin) {
				return state
			}
		case <-late:
			s.t.Fatalf("systemd is not told %s", begin)
		}
	}
}

// silence waits until nothing is heard for as long as the watchdog has patience.
func (s *standIn) silence() {
	late := time.NewTimer(s.watchdog)
	defer late.Stop()
	for {
		select {
		case <-s.heard:
			late.Reset(s.watchdog)
		case <-late.C:
			return
		}
	}
}

func TestSystemdIsToldAtPathsAndAbstractAddresses(t *testing.T) {
	for name, address := range map[string]string{"path": filepath.Join(socketDir(t), "n"), "abstract": fmt.Sprintf("@syncdtest-%d", os.Getpid())} {
		t.Run(name, func(t *testing.T) {
			s := newStandIn(t, address, time.Minute)
			t.Setenv("NOTIFY_SOCKET", address)
			t.Setenv("WATCHDOG_USEC", "1000000")
			t.Setenv("WATCHDOG_PID", fmt.Sprint(os.Getpid()))
			log := &strings.Builder{}
			tend := newTender(newVitals(), "", slog.New(slog.NewTextHandler(log, nil)))
			if tend.watchdog != time.Second {
				t.Errorf("the watchdog's time is %s", tend.watchdog)
			}
			tend.look()
			s.until("WATCHDOG=1")
			s.until("STATUS=not ready: ")
			if log.Len() > 0 {
				t.Errorf("the log has:\n%s", log)
			}
		})
	}
}

func TestTheWatchdogOfAnotherProcessIsNone(t *testing.T) {
	t.Setenv("WATCHDOG_USEC", "1000000")
	t.Setenv("WATCHDOG_PID", "1")
	if tend := newTender(newVitals(), "", slog.New(slog.DiscardHandler)); tend.watchdog != 0 {
		t.Errorf("the watchdog's time is %s", tend.watchdog)
	}
}

func TestNobodyToTellIsNoTrouble(t *testing.T) {
	for address, lines := range map[string]int{"": 0, filepath.Join(t.TempDir(), "gone"): 1} {
		t.Setenv("NOTIFY_SOCKET", address)
		log := &strings.Builder{}
		tend := newTender(newVitals(), "", slog.New(slog.NewTextHandler(log, nil)))
		for range 3 {
			tend.status = ""
			tend.look()
		}
		if got := strings.Count(log.String(), "\n"); got != lines {
			t.Errorf("%q: the log has\n%s", address, log)
		}
	}
}

// socketDir is a directory with a path that is short enough for sockets.
func socketDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "syncdtest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// The unit's own command, with a stand-in for systemd: it becomes ready, gives signs
// of life, is killed when these stop, started again, and ends in order.
func TestWhoHangsIsKilledAndStartedAnew(t *testing.T) {
	if got := unitLine(t, "syncd.service", "Type") + " " + unitLine(t, "syncd.service", "Restart") + " " + unitLine(t, "syncd.service", "OnFailure"); got != "notify on-failure syncd-failed@%n.service" {
		t.Fatalf("the unit says %s", got)
	}
	command := strings.Fields(unitLine(t, "syncd.service", "ExecStart"))
	dir, renderer := socketDir(t), buildRenderer(t)
	file := filepath.Join(dir, "syncd.yaml")
	settings := fmt.Sprintf("repo: {url: %q, auth: {allowHTTP: true}}\nstate: %s\nsocket: %[2]s/s.sock\ndocker: unix://%[2]s/none.sock\n", "http://127.0.0.1:9/x.git", dir)
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newStandIn(t, filepath.Join(dir, "n"), 3*time.Second)
	start := func() *exec.Cmd {
		args := strings.Fields(strings.ReplaceAll(strings.Join(command[1:], " "), "/etc/syncd/syncd.yaml", file))
		cmd := exec.Command("syncd", args...)
		cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":"+renderer, "NOTIFY_SOCKET="+s.address, fmt.Sprintf("WATCHDOG_USEC=%d", s.watchdog.Microseconds()))
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	first := start()
	s.until("READY=1")
	s.until("WATCHDOG=1")
	s.until("WATCHDOG=1")
	if err := first.Process.Signal(syscall.SIGSTOP); err != nil { // it hangs as a whole
		t.Fatal(err)
	}
	s.silence()
	_ = first.Process.Kill()
	if err := first.Wait(); err == nil {
		t.Error("it was not killed")
	}
	again := start()
	s.until("READY=1")
	s.until("WATCHDOG=1")
	if err := again.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.until("STOPPING=1")
	if err := again.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// What systemd itself says of the units.
func TestSystemdReadsTheUnits(t *testing.T) {
	if testing.Short() {
		t.Skip("needs systemd-analyze")
	}
	verify, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Fatalf("%v: hack/programs.sh installs it", err)
	}
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(units + "/*.service")
	if err != nil || len(files) != 2 {
		t.Fatalf("%d units, %v", len(files), err)
	}
	var copies []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, filepath.Base(file))
		if err := os.WriteFile(to, []byte(strings.Replace(string(text), "ExecStart=/usr/local/bin/syncd ", "ExecStart="+self+" ", 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		copies = append(copies, to)
	}
	for _, unit := range copies {
		if out, err := exec.CommandContext(t.Context(), verify, "verify", unit).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", filepath.Base(unit), err, out)
		}
	}
}
