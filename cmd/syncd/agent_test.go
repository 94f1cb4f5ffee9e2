package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/server"
)

// TestTheAgentOfAStateDirectoryIsFound: one that was started with a configuration
// file listens at the usual socket, and --state alone is enough to reach it.
func TestTheAgentOfAStateDirectoryIsFound(t *testing.T) {
	dir, err := os.MkdirTemp("", "syncdtest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	usual := filepath.Join(dir, "usual.sock")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	about := server.About{Version: "v1", State: "/var/lib/syncd-7"}
	go func() {
		ended <- server.Serve(ctx, server.Options{Socket: usual, About: about}, &fake{dir}, &fake{dir})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	if err := eventually(func() error { _, err := (server.Client{Socket: usual}).About(ctx); return err }); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		flags flags
		found bool
	}{
		{flags{state: "/var/lib/syncd-7"}, true},
		{flags{state: "/var/lib/syncd-8"}, false},
		{flags{state: "/var/lib/syncd-7", socket: filepath.Join(dir, "none.sock")}, false},
	} {
		var host config.Host
		if err := tt.flags.overlay(&host); err != nil {
			t.Fatal(err)
		}
		client, about, err := tt.flags.running(ctx, host, usual)
		if (err == nil) != tt.found || tt.found && (client.Socket != usual || about.Version != "v1") {
			t.Errorf("%+v: found %+v at %s, %v", tt.flags, about, client.Socket, err)
		}
	}
}
