package kubetest

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

const note = `{"metadata": {"name": "note"}, "data": {"says": "still here"}}`

func TestAControlPlaneAnswersAndGoesAwayWholly(t *testing.T) {
	t.Parallel()
	c := Start(t, Options{})
	create(t, c.Access, in("default", "configmaps"), note)
	if metrics, err := c.Read(t.Context(), "/metrics"); err != nil || !strings.Contains(string(metrics), "apiserver_request_total") {
		t.Errorf("the administrator does not see the metrics: %v", err)
	}
	if version, err := c.Do(t.Context(), http.MethodGet, "/version", nil); err != nil || version["gitVersion"] != Version {
		t.Errorf("the API server calls itself %v, want %s: %v", version["gitVersion"], Version, err)
	}
	if running := ours(c.dir); len(running) != 3 {
		t.Errorf("a control plane is %v; want etcd, the API server and the controllers", running)
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if running := ours(c.dir); len(running) != 0 {
		t.Errorf("still running: %v", running)
	}
	if _, err := os.Stat(c.dir); !os.IsNotExist(err) {
		t.Errorf("the directory is still there: %v", err)
	}
}

func TestControllersWork(t *testing.T) {
	t.Parallel()
	c := Start(t, Options{})
	create(t, c.Access, in("default", "deployments"), web("web", "1"))
	eventually(t, "three pods are made", func(ctx context.Context) error {
		return has(ctx, c.Access, in("default", "pods"), 3)
	})
	name := c.Namespace(t)
	if _, err := c.Do(t.Context(), http.MethodDelete, "/api/v1/namespaces/"+name, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the namespace goes", func(ctx context.Context) error { return gone(ctx, c.Access, "/api/v1/namespaces/"+name) })
}

func TestWhatAnAPIServerStoredOutlivesItsRestart(t *testing.T) {
	t.Parallel()
	c := Start(t, Options{})
	create(t, c.Access, in("default", "configmaps"), note)
	url := c.URL()
	for name, end := range map[string]func(){"stop": c.StopAPIServer, "kill": c.KillAPIServer} {
		began := time.Now()
		end()
		t.Logf("%s: %v", name, time.Since(began))
		if _, err := c.Read(t.Context(), "/readyz"); err == nil || refused(err) != 0 {
			t.Errorf("%s: it still answers: %v", name, err)
		}
		if err := c.StartAPIServer(t.Context()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		t.Logf("%s and start: %v", name, time.Since(began))
		found, err := c.Do(t.Context(), http.MethodGet, in("default", "configmaps/note"), nil)
		if err != nil || field(found, "data", "says") != "still here" || c.URL() != url {
			t.Errorf("%s: afterwards %s has %v: %v", name, c.URL(), found, err)
		}
	}
	create(t, c.Access, in("default", "deployments"), web("web", "1"))
	eventually(t, "the controllers go on", func(ctx context.Context) error { return has(ctx, c.Access, in("default", "pods"), 3) })
}

func TestAUserMayDoWhatItIsGivenOnly(t *testing.T) {
	t.Parallel()
	c := Start(t, Options{})
	path, err := c.User(t.TempDir(), "jane", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := as(t, path, in("default", "pods")); refused(err) != http.StatusForbidden {
		t.Errorf("jane may: %v", err)
	}
	create(t, c.Access, "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings",
		`{"metadata": {"name": "jane"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
		  "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "jane"}]}`)
	eventually(t, "jane may look", func(context.Context) error { return as(t, path, in("default", "pods")) })
	late, err := c.User(t.TempDir(), "jane", -time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := as(t, late, in("default", "pods")); refused(err) != http.StatusUnauthorized {
		t.Errorf("an expired certificate is good for jane: %v", err)
	}
}

func TestAProgramThatDoesNotStartShowsItsLog(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a control plane")
	}
	dir, err := newDir()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_, err = Launch(t.Context(), dir, Options{APIServer: []string{"--no-such-flag"}})
	if err == nil || !strings.Contains(err.Error(), "unknown flag: --no-such-flag") || time.Since(began) > limit/4 {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("its directory is still there: %v", err)
	}
}
