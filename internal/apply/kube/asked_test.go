package kube

import (
	"net/http/httptest"
	"sync"
	"testing"

	"syncd.io/syncd/internal/apply/asked"
	"syncd.io/syncd/internal/kubetest"
)

func TestRequestsAreNamedByWhatTheyAskFor(t *testing.T) {
	for _, c := range []struct{ method, path, body, want string }{
		{"GET", "/api/v1/namespaces/shop/pods", "", "list"},
		{"GET", "/k8s/clusters/c1/apis/apps/v1/deployments?limit=500", "", "list"},
		{"GET", "/api/v1/namespaces", "", "list"},
		{"GET", "/api/v1/namespaces/shop", "", "get"},
		{"GET", "/apis/apps/v1/namespaces/shop/deployments/web", "", "get"},
		{"GET", "/api/v1/namespaces/shop/pods/web-1/log", "", "get"},
		{"GET", "/apis/apps/v1/deployments?watch=true&resourceVersion=3", "", "watch"},
		{"GET", "/apis/apps/v1?timeout=32s", "", "discover"},
		{"GET", "/version", "", "discover"},
		{"GET", "/apis", "", "discover"},
		{"PATCH", "/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=syncd", "application/apply-patch+yaml", "apply"},
		{"PATCH", "/apis/apps/v1/namespaces/shop/deployments/web?dryRun=All", "application/apply-patch+yaml", "dry run"},
		{"PATCH", "/apis/apps/v1/namespaces/shop/deployments/web", "application/merge-patch+json", "patch"},
		{"POST", "/api/v1/namespaces/shop/events", "", "create"},
		{"PUT", "/apis/coordination.k8s.io/v1/namespaces/syncd/leases/syncd", "", "update"},
		{"DELETE", "/api/v1/namespaces/shop/pods/web-1", "", "delete"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), c.method, c.path, nil)
		r.Header.Set("Content-Type", c.body)
		if got := verbOf(r); got != c.want {
			t.Errorf("%s %s is %q, want %q", c.method, c.path, got, c.want)
		}
	}
}

func TestRequestsToACluster(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a cluster")
	}
	var mu sync.Mutex
	told := map[string]int{}
	e, err := Open(t.Context(), Options{Kubeconfig: kubetest.Shared(t).Kubeconfig(), Asked: func(a asked.Request) {
		mu.Lock()
		defer mu.Unlock()
		told[a.Verb+" "+a.Outcome]++
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if _, err := e.Facts(t.Context()); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if told["discover ok"] == 0 {
		t.Errorf("told were %v", told)
	}
}
