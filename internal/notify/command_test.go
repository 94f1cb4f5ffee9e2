package notify

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
)

func TestACommandGetsTheMessageAndNothingElse(t *testing.T) {
	t.Setenv("SYNCD_TEST_SECRET", "s3cret")
	out := filepath.Join(t.TempDir(), "out")
	conf := config.Channel{Type: "command", Command: []string{"/bin/sh", "-c", `cat > "$0"; echo >> "$0"; pwd >> "$0"; /usr/bin/env >> "$0"`, out}}
	if err := sendTo(t, conf, message()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	body, rest, _ := strings.Cut(string(data), "\n")
	if body != jsonOf(t, message()) || strings.Contains(rest, "s3cret") || !strings.HasPrefix(rest, "/\n") {
		t.Errorf("it got %s", data)
	}
}

// With its time, everything that it started ends.
func TestACommandThatHangsIsKilledWithItsChildren(t *testing.T) {
	out := filepath.Join(t.TempDir(), "pid")
	var data []byte
	for limit := time.Second; len(data) == 0; limit *= 2 { // however long it takes to begin here
		if limit > time.Minute {
			t.Fatal("it never began")
		}
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		err := (&command{config.Channel{Command: []string{"/bin/sh", "-c", `sleep 300 & echo $! > "$0"; wait`, out}}}).send(ctx, message())
		cancel()
		if fault.Of(err) != fault.Unreachable || !strings.Contains(err.Error(), "was killed") {
			t.Fatalf("the error is %v", err)
		}
		data, _ = os.ReadFile(out) // it is asked for again
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.After(2 * time.Minute)
	for gone := false; !gone; {
		state, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		gone = err != nil || strings.Contains(string(state), ") Z ") || syscall.Kill(pid, 0) != nil
		select {
		case <-deadline:
			t.Fatal("the child is still there")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func TestACommandThatFailsIsTriedAgain(t *testing.T) {
	err := sendTo(t, config.Channel{Type: "command", Command: []string{"/bin/sh", "-c", "echo nobody is there >&2; exit 3"}}, message())
	if fault.Of(err) != fault.Unreachable || !strings.Contains(err.Error(), "exit status 3: nobody is there") {
		t.Errorf("the error is %v", err)
	}
	if err := sendTo(t, config.Channel{Type: "command", Command: []string{"/no/such/program"}}, message()); fault.Of(err) != fault.Unreachable {
		t.Errorf("the error is %v", err)
	}
}
