package server

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestOlderKernelsTellLess covers Linux before 4.13, which does not know
// SO_PEERGROUPS: who connects is known all the same, and so is its first group.
func TestOlderKernelsTellLess(t *testing.T) {
	near := connected(t)
	for name, tt := range map[string]struct {
		ask    func(int) ([]int, error)
		groups []int
		log    string
	}{
		"this kernel":        {func(int) ([]int, error) { return []int{7}, nil }, []int{7, os.Getgid()}, ""},
		"one without groups": {func(int) ([]int, error) { return nil, syscall.ENOPROTOOPT }, []int{os.Getgid()}, "level=DEBUG msg=\"the kernel does not tell a peer's groups\" error=\"protocol not available\""},
	} {
		t.Run(name, func(t *testing.T) {
			var said strings.Builder
			log := slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug}))
			p, ok := peerIn(acquaint(log, tt.ask)(t.Context(), near))
			if !ok || p.uid != os.Getuid() || !slices.Equal(p.groups, tt.groups) {
				t.Errorf("got %+v, %v; want user %d in groups %v", p, ok, os.Getuid(), tt.groups)
			}
			if !strings.Contains(said.String(), tt.log) || tt.log == "" && said.Len() > 0 {
				t.Errorf("the log says %q, want %q", said.String(), tt.log)
			}
		})
	}
}

// connected is a server's end of a Unix socket to this very process.
func connected(t *testing.T) net.Conn {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	far, err := net.Dial("unix", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = far.Close() })
	near, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = near.Close() })
	return near
}
