package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
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

// TestTheAgentOfAnotherInstallationIsRefused: a configuration with a state of its
// own and no socket finds the usual one, where another agent may answer.
func TestTheAgentOfAnotherInstallationIsRefused(t *testing.T) {
	about := server.About{State: "/var/lib/syncd"}
	for _, tt := range []struct {
		flags flags
		state string
		fits  bool
	}{
		{flags{config: "/etc/syncd/syncd.yaml"}, "/var/lib/syncd", true},
		{flags{config: "/etc/syncd/b.yaml"}, "/var/lib/b", false},
		{flags{config: "/etc/syncd/b.yaml", socket: "/run/syncd/syncd.sock"}, "/var/lib/b", true},
		{flags{}, "/var/lib/b", true},
	} {
		err := tt.flags.worksOn(config.Host{State: tt.state}, about)
		if (err == nil) != tt.fits || err != nil && (fault.Of(err) != fault.Blocked || fault.Advice(err) == "") {
			t.Errorf("%+v with %s: %v", tt.flags, tt.state, err)
		}
	}
}
