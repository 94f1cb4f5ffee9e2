package server_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/server"
)

func TestTheSocketOfADeadAgentIsReplaced(t *testing.T) {
	path := filepath.Join(place(t), "s.sock")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	if err := dead.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(t.Context(), server.Options{Socket: path}, &fake{}, &fake{}) }()
	answers(t, server.Client{Socket: path})
	t.Cleanup(func() {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestTheSocketOfALivingAgentIsLeftAlone(t *testing.T) {
	c := start(t, &fake{}, "")
	err := server.Serve(t.Context(), server.Options{Socket: c.Socket}, &fake{}, &fake{})
	failed(t, err, fault.Blocked, "another agent answers there", "--socket")
	answers(t, c)
}

func TestAFileThatIsNoSocketIsNeverReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := server.Serve(t.Context(), server.Options{Socket: path}, &fake{}, &fake{})
	failed(t, err, fault.Blocked, "no socket lies there", "move it away")
	if data, _ := os.ReadFile(path); string(data) != "precious" {
		t.Errorf("the file now holds %q", data)
	}
}

func TestATooLongPathIsAnErrorWithAWayOut(t *testing.T) {
	path := "/tmp/" + strings.Repeat("x", 200)
	err := server.Serve(t.Context(), server.Options{Socket: path}, &fake{}, &fake{})
	failed(t, err, fault.Blocked, "longer than", "shorter path")
}

func TestWithoutAGroupTheSocketIsItsOwnersAlone(t *testing.T) {
	c := start(t, &fake{}, "syncdtest-no-such-group")
	info, err := os.Stat(c.Socket)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("the socket's mode is %o, want 600", mode)
	}
}
