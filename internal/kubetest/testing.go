package kubetest

import (
	"context"
	"errors"
	"net/http"
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
	access, err := Open(t.Context())
	if err != nil {
		t.Fatalf("the shared cluster does not answer: %v\nhint: make cluster starts it", err)
	}
	t.Cleanup(access.client.CloseIdleConnections)
	return access
}

// Namespace makes a namespace with a unique name for one test, and has it deleted
// when the test ends, with all that is in it.
func (a *Access) Namespace(t testing.TB) string {
	t.Helper()
	made, err := a.Do(t.Context(), http.MethodPost, "/api/v1/namespaces", map[string]any{"metadata": map[string]any{"generateName": "syncdtest-"}})
	if err != nil {
		t.Fatalf("make a namespace: %v", err)
	}
	name := field(made, "metadata", "name").(string)
	t.Cleanup(func() {
		_, err := a.Do(context.WithoutCancel(t.Context()), http.MethodDelete, "/api/v1/namespaces/"+name, nil)
		var refusal *Refusal
		if err != nil && !(errors.As(err, &refusal) && refusal.Code == http.StatusNotFound) {
			t.Errorf("delete the namespace %s: %v", name, err)
		}
	})
	return name
}

// newDir makes a directory for a cluster, which says whose it is. Its path is
// short: a socket's may have 107 characters.
func newDir() (string, error) {
	return os.MkdirTemp("", prefix())
}
