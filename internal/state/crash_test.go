package state

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
)

// After a crash the history is a prefix, plus at most the one entry that was
// being written; and record and entry of one transaction never part.
func TestKilledInTheMiddleOfSaving(t *testing.T) {
	dir := t.TempDir()
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	for round := range rounds {
		cmd, lines := child(t, "save", dir)
		last := 0
		for range 1 + round*3 { // the pipe runs behind, so that the kill hits anywhere
			if !lines.Scan() {
				t.Fatal("the child ended by itself")
			}
			if _, err := fmt.Sscanf(lines.Text(), "saved %d", &last); err != nil {
				t.Fatalf("the child said %q", lines.Text())
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what it had saved before it died
			if n, err := strconv.Atoi(strings.TrimPrefix(lines.Text(), "saved ")); err == nil {
				last = n
			}
		}
		reap(t, cmd)
		verifyPrefix(t, dir, last)
	}
}

func verifyPrefix(t *testing.T, dir string, last int) {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Recovered() != "" {
		t.Fatalf("a kill damaged the record: %s", s.Recovered())
	}
	entries, err := s.History("shop", 0)
	if err != nil {
		t.Fatal(err)
	}
	newest := int(entries[0].ID)
	if newest != last && newest != last+1 {
		t.Fatalf("the newest entry is %d; %d was the last that was told to be saved", newest, last)
	}
	for i, e := range entries {
		if want := newest - i; int(e.ID) != want || e.Reason != strconv.Itoa(want) {
			t.Fatalf("entry %d is %d (%s), want %d", i, e.ID, e.Reason, want)
		}
	}
	if r, err := s.Record("shop"); err != nil || r.Dir != strconv.Itoa(newest) {
		t.Fatalf("the record is of %s and the newest entry of %d (%v)", r.Dir, newest, err)
	}
}

func TestTwoProcessesNeverShareADirectory(t *testing.T) {
	dir := t.TempDir()
	cmd, _ := child(t, "hold", dir)
	_, err := Open(dir)
	want := fmt.Sprintf("another syncd (pid %d) works on %s", cmd.Process.Pid, dir)
	if err == nil || err.Error() != want || fault.Of(err) != fault.Blocked || !strings.Contains(fault.Advice(err), "--state") {
		t.Fatalf("got  %v (%s)\nwant %s", err, fault.Advice(err), want)
	}
	reap(t, cmd)
	open(t, dir)
	if data, err := os.ReadFile(filepath.Join(dir, "lock")); err != nil || !strings.HasPrefix(string(data), strconv.Itoa(os.Getpid())+" ") {
		t.Errorf("the lock says %q, %v", data, err)
	}
}

func TestOpenWaitsForOneThatIsJustEnding(t *testing.T) {
	dir := t.TempDir()
	first, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	opened := make(chan error, 1)
	go func() {
		s, err := Open(dir)
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	within(t, 5*time.Second, "open", opened)
}
