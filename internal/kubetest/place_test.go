package kubetest

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// elsewhere is a place beside the shared cluster's, cleared when the test ends.
func elsewhere(t *testing.T) place {
	t.Helper()
	dir, err := os.MkdirTemp("", "syncd-place-") // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	at := place{dir: filepath.Join(dir, "c"), numbers: lastRange + 2}
	t.Cleanup(func() {
		if err := errors.Join(at.down(context.WithoutCancel(t.Context())), os.RemoveAll(dir)); err != nil {
			t.Errorf("clear the place: %v", err)
		}
	})
	return at
}

// upTwice has two at once see that there is a cluster.
func upTwice(t *testing.T, at place) {
	t.Helper()
	var both sync.WaitGroup
	errs := make([]error, 2)
	for i := range errs {
		both.Go(func() { errs[i] = at.up(t.Context(), t.Logf) })
	}
	both.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// identity is what a cluster made anew does not have.
func identity(t *testing.T, at place) string {
	t.Helper()
	access, err := at.open()
	if err != nil {
		t.Fatal(err)
	}
	defer access.client.CloseIdleConnections()
	if err := access.whole(t.Context()); err != nil {
		t.Fatal(err)
	}
	found, err := access.Do(t.Context(), http.MethodGet, "/api/v1/namespaces/kube-system", nil)
	if err != nil {
		t.Fatal(err)
	}
	return field(found, "metadata", "uid").(string)
}

func TestAHalfDeadClusterIsMadeAnew(t *testing.T) {
	asRoot(t)
	if testing.Short() {
		t.Skip("needs a node")
	}
	at := elsewhere(t)
	upTwice(t, at)
	first := identity(t, at)
	upTwice(t, at)
	if again := identity(t, at); again != first {
		t.Error("a cluster that answers was made anew")
	}
	for _, pid := range ours(at.dir)["kube-scheduler"] {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the scheduler is gone", func(context.Context) error {
		if len(ours(at.dir)["kube-scheduler"]) > 0 {
			return errors.New("it runs")
		}
		return nil
	})
	upTwice(t, at)
	if anew := identity(t, at); anew == first {
		t.Error("a cluster without a scheduler went on as it was")
	}
	if err := at.down(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := traces(t, at.dir, ranged(at.numbers).Bridge); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}
