package outbox_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"syncd.io/syncd/internal/outbox"
)

// childEnv makes this test binary a second process that reads a record into an
// outbox, until it is killed.
const childEnv = "SYNCD_TEST_OUTBOX_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		fmt.Println("error", queueForEver(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// queueForEver reads a record of numbers on: what it reads it queues, and moves the
// cursor, three at a time.
func queueForEver(path string) error {
	box, err := outbox.Open(path)
	if err != nil {
		return err
	}
	fmt.Println("open")
	for {
		var last uint64
		if err := box.Update(func(tx *outbox.Tx) error {
			last, _ = tx.Cursor("record")
			for range 3 {
				last++
				if err := tx.Add("numbers", numbered(last)); err != nil {
					return err
				}
			}
			return tx.SetCursor("record", last)
		}); err != nil {
			return err
		}
		fmt.Println(last)
	}
}

func numbered(n uint64) outbox.Item {
	return outbox.Item{Key: fmt.Sprint(n), Body: json.RawMessage(`"` + strings.Repeat("x", 500) + `"`)}
}

func child(t *testing.T, path string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "open" {
		t.Fatalf("the child said %q", lines.Text())
	}
	return cmd, lines
}

func open(t *testing.T, path string) *outbox.Box {
	t.Helper()
	box, err := outbox.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	return box
}

func fresh(t *testing.T) *outbox.Box {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "notify.db"))
}

// queue adds items with these keys and weights.
func queue(t *testing.T, box *outbox.Box, topic string, items ...outbox.Item) {
	t.Helper()
	if err := box.Update(func(tx *outbox.Tx) error {
		for _, item := range items {
			item.Body = json.RawMessage(`{}`)
			if err := tx.Add(topic, item); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func keys(t *testing.T, box *outbox.Box, topic string) []string {
	t.Helper()
	items, _, err := box.Waiting(topic, 5000)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, item := range items {
		out = append(out, item.Key)
	}
	return out
}

func reap(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var ended *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
}
