package outbox_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"syncd.io/syncd/internal/outbox"
)

// Killed anywhere, what was read is queued exactly once.
func TestKilledBetweenReadingAndSending(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify.db")
	rounds := 8
	if testing.Short() {
		rounds = 2
	}
	for round := range rounds {
		cmd, lines := child(t, path)
		told := 0
		for range 1 + round*2 { // the pipe runs behind, so that the kill hits anywhere
			if !lines.Scan() {
				t.Fatal("the child ended by itself")
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
			if n, err := strconv.Atoi(lines.Text()); err == nil {
				told = n
			}
		}
		reap(t, cmd)
		everyNumberOnce(t, path, told)
	}
}

func everyNumberOnce(t *testing.T, path string, told int) {
	t.Helper()
	box, err := outbox.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	if box.Recovered() != "" {
		t.Fatal(box.Recovered())
	}
	var cursor uint64
	if err := box.View(func(tx *outbox.Tx) error { cursor, _ = tx.Cursor("record"); return nil }); err != nil {
		t.Fatal(err)
	}
	if int(cursor) < told {
		t.Fatalf("the cursor is at %d, and %d was told to be read", cursor, told)
	}
	all := keys(t, box, "numbers")
	from := max(1, int(cursor)-999) // there is room for a thousand
	if len(all) != int(cursor)-from+1 {
		t.Fatalf("%d wait, and %d were read", len(all), cursor)
	}
	for i, key := range all {
		if key != strconv.Itoa(from+i) {
			t.Fatalf("number %d of the queue is %s, want %d", i, key, from+i)
		}
	}
}

func TestATransactionThatFailsChangesNothing(t *testing.T) {
	box := fresh(t)
	broken := errors.New("broken")
	err := box.Update(func(tx *outbox.Tx) error {
		if err := errors.Join(tx.Add("chat", outbox.Item{Key: "a", Body: []byte("{}")}), tx.SetCursor("record", 7), tx.Put("shelf", "a", 1)); err != nil {
			t.Fatal(err)
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Fatalf("the error is %v", err)
	}
	if err := box.View(func(tx *outbox.Tx) error {
		if _, known := tx.Cursor("record"); known || len(tx.Keys("shelf")) > 0 {
			t.Error("a part of it is there")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got := keys(t, box, "chat"); len(got) > 0 {
		t.Errorf("%v wait", got)
	}
}

// A queue is bounded: the oldest of the lightest goes first, and is counted.
func TestTheLightestMakesRoom(t *testing.T) {
	box := fresh(t)
	var items []outbox.Item
	for i := range 1000 {
		items = append(items, outbox.Item{Key: fmt.Sprint(i), Weight: 1 + i%2})
	}
	queue(t, box, "chat", items...)
	queue(t, box, "chat", outbox.Item{Key: "grave", Weight: 3}, outbox.Item{Key: "light"})
	got := keys(t, box, "chat")
	if len(got) != 1000 || slices.Contains(got, "0") || slices.Contains(got, "light") || !slices.Contains(got, "1") || !slices.Contains(got, "grave") {
		t.Errorf("%d wait, the last are %v", len(got), got[len(got)-3:])
	}
	if l, err := box.Length("chat"); err != nil || l.Items != 1000 || l.Dropped != 2 || l.Oldest.IsZero() {
		t.Errorf("the length is %+v (%v)", l, err)
	}
}

func TestShelvesKeepValues(t *testing.T) {
	box := fresh(t)
	if err := box.Update(func(tx *outbox.Tx) error {
		return errors.Join(tx.Put("open", "b", "two"), tx.Put("open", "a", "one"), tx.Put("open", "c", "three"), tx.Delete("open", "c"), tx.Delete("none", "c"))
	}); err != nil {
		t.Fatal(err)
	}
	if err := box.View(func(tx *outbox.Tx) error {
		var value string
		if ok, err := tx.Get("open", "b", &value); !ok || err != nil || value != "two" {
			t.Errorf("b is %q (%v)", value, err)
		}
		if ok, err := tx.Get("none", "b", &value); ok || err != nil {
			t.Errorf("what is not there was found (%v)", err)
		}
		if got := tx.Keys("open"); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("the keys are %v", got)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestQueuesOfNobodyAreForgotten(t *testing.T) {
	box := fresh(t)
	queue(t, box, "chat/old", outbox.Item{Key: "a"})
	queue(t, box, "chat/new", outbox.Item{Key: "b"})
	if err := box.Update(func(tx *outbox.Tx) error {
		return tx.Forget(func(topic string) bool { return topic != "chat/old" })
	}); err != nil {
		t.Fatal(err)
	}
	if len(keys(t, box, "chat/old")) != 0 || len(keys(t, box, "chat/new")) != 1 {
		t.Error("the wrong one was forgotten")
	}
}

// Whatever happened to the file, the agent starts, and says what was lost.
func TestADamagedOutboxIsBegunAnew(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"text":             func([]byte) []byte { return []byte(strings.Repeat("no database\n", 2000)) },
		"cut in half":      func(b []byte) []byte { return b[:len(b)/2/4096*4096] },
		"cut to two pages": func(b []byte) []byte { return b[:8192] },
		"cut to one page":  func(b []byte) []byte { return b[:4096] },
		"cut to a byte":    func(b []byte) []byte { return b[:1] },
		"overwritten": func(b []byte) []byte {
			for i := 8192; i < len(b); i++ {
				b[i] = 0xff
			}
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "notify.db")
			box, err := outbox.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			for n := range uint64(300) {
				queue(t, box, "chat", numbered(n))
			}
			if err := box.Close(); err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, damage(data), 0o600); err != nil {
				t.Fatal(err)
			}
			box = open(t, path)
			if !strings.Contains(box.Recovered(), "set aside as notify.db.broken-") {
				t.Errorf("it says %q", box.Recovered())
			}
			queue(t, box, "chat", outbox.Item{Key: "a"})
			if got := keys(t, box, "chat"); len(got) != 1 {
				t.Errorf("%d wait", len(got))
			}
		})
	}
}

// Of what is withdrawn nothing is left, also where it is being tried; others stay.
func TestWhatIsWithdrawnIsNotSent(t *testing.T) {
	box := fresh(t)
	queue(t, box, "a", outbox.Item{Key: "1"}, outbox.Item{Key: "2"}, outbox.Item{Key: "1"})
	queue(t, box, "b", outbox.Item{Key: "1"})
	tried, _, err := box.Waiting("a", 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := box.Update(func(tx *outbox.Tx) error {
		return errors.Join(tx.Withdraw("a", "1"), tx.Withdraw("none", "1"))
	}); err != nil {
		t.Fatal(err)
	}
	if err := box.Again("a", tried[0]); err != nil {
		t.Fatal(err)
	}
	if got := keys(t, box, "a"); !slices.Equal(got, []string{"2"}) {
		t.Errorf("under a wait %v", got)
	}
	if got := keys(t, box, "b"); !slices.Equal(got, []string{"1"}) {
		t.Errorf("under b wait %v", got)
	}
}
