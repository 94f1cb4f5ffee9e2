package server

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
)

// TestAStoppedAgentIsOneThatDoesNotAnswer: its process is there (SIGSTOP, a
// machine that swaps), and the kernel still takes connections for it.
func TestAStoppedAgentIsOneThatDoesNotAnswer(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	c := Client{Socket: socket}
	_, err = c.about(t.Context(), 50*time.Millisecond)
	if fault.Of(err) != fault.Unreachable || !strings.Contains(err.Error(), "the agent at "+socket+" has not answered for 50ms") || !strings.Contains(fault.Advice(err), "stopped") {
		t.Errorf("got %v (%v, hint %q)", err, fault.Of(err), fault.Advice(err))
	}
	if errors.Is(err, ErrNoAgent) {
		t.Error("it is taken for no agent, which others would then replace")
	}
	hurry := errors.New("the caller is in a hurry")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(hurry)
	if _, err := c.about(ctx, time.Minute); !errors.Is(err, hurry) || fault.Of(err) != fault.Unknown {
		t.Errorf("a caller who gave up gets %v (%v)", err, fault.Of(err))
	}
}
