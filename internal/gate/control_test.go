package gate

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
)

// tells hands a table over the socket.
func tells(t *testing.T, dir string, table Table) Answer {
	t.Helper()
	raw, err := table.Encode()
	if err != nil {
		t.Fatal(err)
	}
	answer, err := Ask(t.Context(), dir, raw)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestATableIsHandedOverAndAnswered(t *testing.T) {
	b := serve(t, 1, echo)
	dir := place(t)
	g := startIn(t.Context(), t, dir, "127.0.0.1:0")
	got := tells(t, dir, table(TCP, b))
	if got.Digest != table(TCP, b).Digest() || !got.Listening || got.Address != g.Answer().Address || got.Version != "test" {
		t.Errorf("it says %+v", got)
	}
	if onDisk(t, dir).Digest() != got.Digest {
		t.Error("another table is on disk")
	}
	connect(t, g).hears(b.ID)
}

func TestNothingHandedOverOnlyAsks(t *testing.T) {
	dir := place(t)
	startIn(t.Context(), t, dir, "127.0.0.1:0")
	for _, nothing := range []string{"", "\n \n"} {
		got, err := Ask(t.Context(), dir, []byte(nothing))
		if err != nil || got.Digest != "" || got.Listening || got.Trouble != "" {
			t.Errorf("it says %+v, %v", got, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, TableFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a table was written: %v", err)
	}
}

func TestATableThatIsWrongIsRefusedWithAHint(t *testing.T) {
	dir := place(t)
	startIn(t.Context(), t, dir, "127.0.0.1:0")
	before := tells(t, dir, table(TCP))
	for _, wrong := range []string{`{"format":1}`, `{"format":9}`, good + strings.Repeat(" ", MaxTable)} {
		_, err := Ask(t.Context(), dir, []byte(wrong))
		if fault.Of(err) != fault.Rejected || fault.Advice(err) == "" {
			t.Errorf("%.20s: %v (%v), hint %q", wrong, err, fault.Of(err), fault.Advice(err))
		}
	}
	if got, err := Ask(t.Context(), dir, nil); err != nil || got.Digest != before.Digest {
		t.Errorf("it says %+v, %v", got, err)
	}
}

func TestAskingNobodySaysSo(t *testing.T) {
	_, err := Ask(t.Context(), place(t), nil)
	if fault.Of(err) != fault.Unreachable || fault.Advice(err) == "" {
		t.Errorf("got %v (%v)", err, fault.Of(err))
	}
}

func TestOneGateADirectory(t *testing.T) {
	dir := place(t)
	startIn(t.Context(), t, dir, "127.0.0.1:0")
	_, err := Start(t.Context(), Options{Dir: dir})
	if fault.Of(err) != fault.Blocked || !strings.Contains(err.Error(), "another gate answers") {
		t.Errorf("got %v", err)
	}
	if _, err := Ask(t.Context(), dir, nil); err != nil {
		t.Errorf("the first one: %v", err)
	}
}

func TestTheSocketOfAKilledGateIsReplaced(t *testing.T) {
	dir := place(t)
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, socketFile)})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	if err := dead.Close(); err != nil {
		t.Fatal(err)
	}
	startIn(t.Context(), t, dir, "127.0.0.1:0")
	if _, err := Ask(t.Context(), dir, nil); err != nil {
		t.Error(err)
	}
}

func TestAFileThatIsNoSocketIsLeftAlone(t *testing.T) {
	dir := place(t)
	path := filepath.Join(dir, socketFile)
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), Options{Dir: dir}); fault.Of(err) != fault.Blocked {
		t.Errorf("got %v", err)
	}
	if raw, _ := os.ReadFile(path); string(raw) != "precious" {
		t.Errorf("it holds %q now", raw)
	}
}

func TestOnlyTheGatesUserMayHandOver(t *testing.T) {
	dir := place(t)
	startIn(t.Context(), t, dir, "127.0.0.1:0")
	info, err := os.Stat(filepath.Join(dir, socketFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the mode is %o, %v", info.Mode().Perm(), err)
	}
}

func TestTablesAtOnceAreTakenOneAfterTheOther(t *testing.T) {
	x, y := serve(t, 1, echo), serve(t, 2, echo)
	dir := place(t)
	g := startIn(t.Context(), t, dir, "127.0.0.1:0")
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() { tells(t, dir, table(TCP, []*backend{x, y}[i%2])) })
	}
	all.Wait()
	if got, want := g.Answer().Digest, onDisk(t, dir).Digest(); got != want {
		t.Errorf("in force %s, on disk %s", got, want)
	}
}

func TestCallersThatSayNothingKeepNobodyOut(t *testing.T) {
	dir := place(t)
	startIn(t.Context(), t, dir, "127.0.0.1:0")
	for range maxCallers - 1 {
		mute, err := net.Dial("unix", filepath.Join(dir, socketFile))
		if err != nil {
			t.Fatal(err)
		}
		defer mute.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := Ask(ctx, dir, nil); err != nil {
		t.Error(err)
	}
}
