package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"syncd.io/syncd/internal/fault"
)

// How long Open waits for a process that is just ending, and how often it looks.
const (
	lockWait = time.Second
	lockPoll = 20 * time.Millisecond
)

// acquire takes the exclusive lock of dir and writes into its file who holds it.
// The system releases it with the process, however that ends.
func acquire(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, trouble(dir, "open lock", err)
	}
	if err := wait(f); err != nil {
		taken := errors.Is(err, syscall.EWOULDBLOCK)
		defer f.Close()
		if taken {
			return nil, occupied(dir)
		}
		return nil, trouble(dir, "lock "+dir, err)
	}
	if err := sign(f); err != nil {
		return nil, errors.Join(trouble(dir, "write lock", err), f.Close())
	}
	return f, nil
}

// wait tries for the lock until lockWait is over.
func wait(f *os.File) error {
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for deadline := time.Now().Add(lockWait); ; <-tick.C {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil || !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return err
		}
		if time.Now().After(deadline) {
			return err
		}
	}
}

// sign writes "PID HOST TIME": the host tells containers and network disks apart.
func sign(f *os.File) error {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	text := fmt.Sprintf("%d %s %s\n", os.Getpid(), host, time.Now().UTC().Format(time.RFC3339))
	if _, err := f.WriteAt([]byte(text), 0); err != nil {
		return err
	}
	return f.Truncate(int64(len(text)))
}

func occupied(dir string) error {
	pid, where := "unknown", ""
	if data, err := os.ReadFile(filepath.Join(dir, "lock")); err == nil {
		if words := strings.Fields(string(data)); len(words) == 3 {
			pid, where = words[0], " (on "+words[1]+", since "+words[2]+")"
		}
	}
	err := fault.As(fault.Blocked, fmt.Errorf("another syncd (pid %s) works on %s", pid, dir))
	return fault.Hint(err, "talk to it over its socket, stop it"+where+", or choose another directory with --state")
}
