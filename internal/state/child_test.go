package state

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/source"
)

// childEnv makes this test binary a second process that works on a record.
const childEnv = "SYNCD_TEST_STATE_CHILD"

func TestMain(m *testing.M) {
	if role, dir, ok := strings.Cut(os.Getenv(childEnv), ":"); ok {
		if err := play(role, dir); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// play is what the child does: hold the lock, save for ever, or save until the
// file may not grow any more.
func play(role, dir string) error {
	s, err := Open(dir)
	if err != nil {
		return err
	}
	fmt.Println("open")
	switch role {
	case "hold":
		_, err := io.Copy(io.Discard, os.Stdin) // until the parent closes it, or kills
		return errors.Join(err, s.Close())
	case "limit":
		signal.Ignore(syscall.SIGXFSZ)
		limit := syscall.Rlimit{Cur: 256 << 10, Max: 256 << 10}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			return err
		}
	}
	entries, err := s.History("shop", 1)
	if err != nil {
		return err
	}
	next := 1
	if len(entries) > 0 {
		next += int(entries[0].ID)
	}
	for ; ; next++ {
		if _, err := s.SaveWith(numbered(next), Entry{App: "shop", Kind: "sync", Reason: strconv.Itoa(next)}); err != nil {
			return err
		}
		fmt.Println("saved", next)
	}
}

// numbered is a record that tells which one it is, of a size that fills pages.
func numbered(n int) Record {
	spec := `{"image":"shop:` + strconv.Itoa(n) + `","pad":"` + strings.Repeat("x", 5000) + `"}`
	return Record{App: "shop", Dir: strconv.Itoa(n), Good: &Set{
		Revision: source.Revision{Commit: strconv.Itoa(n)},
		Objects:  []resource.Object{{Key: resource.Key{Kind: "container", Namespace: "web", Name: "1"}, Spec: []byte(spec)}},
	}}
}

// child starts a second process and returns the lines that it prints.
func child(t *testing.T, role, dir string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+role+":"+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
			t.Error(err)
		}
		reap(t, cmd)
	})
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "open" {
		t.Fatalf("the child said %q", lines.Text())
	}
	return cmd, lines
}

// reap ends the child, if it has not ended, and waits until it is gone.
func reap(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if cmd.ProcessState != nil {
		return
	}
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
	var ended *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &ended) {
		t.Error(err)
	}
}

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
			t.Error(err)
		}
	})
	return s
}

func reopen(t *testing.T, s *Store) *Store {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, s.dir)
}

// within ends a test that waits for something that never comes.
func within(t *testing.T, limit time.Duration, what string, done <-chan error) {
	t.Helper()
	select {
	case err := <-done:
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	case <-time.After(limit):
		t.Fatalf("%s: not done after %v", what, limit)
	}
}
