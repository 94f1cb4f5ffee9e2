package kubetest

import (
	"context"
	"os"
	"testing"

	"syncd.io/syncd/internal/fault"
)

// Start starts a control plane for one test, in some four seconds, and ends it
// with the test. With Options.Node it has a node too, which needs root. Under
// -short the test is skipped.
func Start(t testing.TB, options Options) *Cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a control plane")
	}
	if err := Sweep(t.Context()); err != nil {
		t.Fatalf("clear away what killed tests left: %v", err)
	}
	dir, err := newDir()
	if err != nil {
		t.Fatal(err)
	}
	if options.Say == nil {
		options.Say = t.Logf
	}
	c, err := Launch(t.Context(), dir, options)
	if err != nil {
		t.Fatalf("start a control plane: %v\nhint: %s", err, fault.Advice(err))
	}
	t.Cleanup(func() {
		if err := c.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("stop the control plane: %v", err)
		}
	})
	return c
}

// Shared returns the machine's shared cluster, which has a real node. Where it
// does not answer the test fails; under -short it is skipped. What a test makes
// there it makes in a namespace of its own, see Namespace.
func Shared(t testing.TB) *Access {
	t.Helper()
	if testing.Short() {
		t.Skip("needs the shared cluster")
	}
	if err := Status(t.Context()); err != nil {
		t.Fatalf("the shared cluster does not answer: %v\nhint: make cluster starts it", err)
	}
	access, err := openShared()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(access.client.CloseIdleConnections)
	return access
}

// newDir makes a directory for a cluster, which says whose it is. Its path is
// short: a socket's may have 107 characters.
func newDir() (string, error) {
	return os.MkdirTemp("", prefix())
}
