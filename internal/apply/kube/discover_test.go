package kube

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"syncd.io/syncd/internal/fault"
)

// apis is an API server that answers these paths, each with a type and a body; any
// other is not served.
func apis(t *testing.T, answers map[string][2]string) rest.Interface {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, ok := answers[r.URL.Path]
		if !ok {
			http.Error(w, "nobody answers", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", answer[0])
		fmt.Fprint(w, answer[1])
	}))
	t.Cleanup(server.Close)
	client, err := newTyped(&rest.Config{Host: server.URL}, nil, corev1.SchemeGroupVersion)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

const whole = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

// An API server tells of all groups at once, or of one after the other where it is
// old; both come to the same.
func TestWhatIsServedIsFoundOut(t *testing.T) {
	for name, answers := range map[string]map[string][2]string{
		"at once": {
			"/api": {whole, `{"items": [{"metadata": {}, "versions": [{"version": "v1", "freshness": "Current", "resources": [
				{"resource": "pods", "responseKind": {"group": "", "version": "v1", "kind": "Pod"}, "scope": "Namespaced", "verbs": ["get", "patch"]}]}]}]}`},
			"/apis": {whole, `{"items": [
				{"metadata": {"name": "example.com"}, "versions": [{"version": "v1", "freshness": "Current", "resources": [
					{"resource": "rooms", "responseKind": {"group": "example.com", "version": "v1", "kind": "Room"}, "scope": "Cluster", "verbs": ["patch"]}]}]},
				{"metadata": {"name": "metrics.k8s.io"}, "versions": [{"version": "v1beta1", "freshness": "Stale", "resources": []}]}]}`},
		},
		"one by one": {
			"/api":                 {"application/json", `{"kind": "APIVersions", "versions": ["v1"]}`},
			"/api/v1":              {"application/json", `{"groupVersion": "v1", "resources": [{"name": "pods", "kind": "Pod", "namespaced": true, "verbs": ["get", "patch"]}]}`},
			"/apis":                {"application/json", `{"kind": "APIGroupList", "groups": [{"name": "example.com", "versions": [{"groupVersion": "example.com/v1", "version": "v1"}]}, {"name": "metrics.k8s.io", "versions": [{"groupVersion": "metrics.k8s.io/v1beta1", "version": "v1beta1"}]}]}`},
			"/apis/example.com/v1": {"application/json", `{"groupVersion": "example.com/v1", "resources": [{"name": "rooms", "kind": "Room", "namespaced": false, "verbs": ["patch"]}]}`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			offer, err := discover(t.Context(), apis(t, answers))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, o := range offer.kinds {
				got = append(got, fmt.Sprintf("%s %s %t %v", o.gvk, o.name, o.namespaced, o.verbs))
			}
			want := []string{"/v1, Kind=Pod pods true [get patch]", "example.com/v1, Kind=Room rooms false [patch]"}
			for i := range want {
				if i >= len(got) || !slices.Contains(got, want[i]) {
					t.Errorf("got %q, want %q", got, want)
				}
			}
			if len(offer.down) != 1 || len(got) != len(want) {
				t.Errorf("down: %v, got %q", offer.down, got)
			}
		})
	}
}

// A kind that nobody can tell of now, as after a restart, is not one that is not
// served: what was applied of it is still there.
func TestAKindThatCannotBeToldIsNotTakenForGone(t *testing.T) {
	client := apis(t, map[string][2]string{
		"/api":          {"application/json", `{"versions": ["v1"]}`},
		"/api/v1":       {"application/json", `{"resources": [{"name": "pods", "kind": "Pod", "namespaced": true, "verbs": ["patch"]}]}`},
		"/apis":         {"application/json", `{"groups": [{"versions": [{"groupVersion": "example.com/v1"}]}, {"versions": [{"groupVersion": "apps/v1"}]}]}`},
		"/apis/apps/v1": {"application/json", `{"resources": [{"name": "deployments", "kind": "Deployment", "namespaced": true, "verbs": ["patch"]}]}`},
	})
	var owners sync.WaitGroup
	defer owners.Wait()
	k := newKinds(client, &once{life: t.Context(), owners: &owners})
	for _, c := range []struct {
		gvk          schema.GroupVersionKind
		find, served fault.Class
	}{
		{schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Room"}, fault.Unreachable, fault.Unreachable},
		{schema.GroupVersionKind{Group: "example.com", Version: "v1beta1", Kind: "Room"}, fault.Rejected, fault.Unreachable},
		{schema.GroupVersionKind{Group: "example.org", Version: "v1", Kind: "Room"}, fault.Rejected, fault.Rejected},
		{schema.GroupVersionKind{Group: "apps", Version: "v1beta1", Kind: "Deployment"}, fault.Rejected, fault.Unknown},
	} {
		_, found := k.find(t.Context(), c.gvk)
		_, served := k.served(t.Context(), c.gvk)
		if fault.Of(found) != c.find || fault.Of(served) != c.served {
			t.Errorf("%s: got %v and %v, want %s and %s", c.gvk, found, served, c.find, c.served)
		}
		if gone := errors.Is(served, errNoKind); gone != (c.served == fault.Rejected) {
			t.Errorf("%s: it is taken for gone: %t", c.gvk, gone)
		}
	}
}

// Nothing is known where nobody answers: that is no server without kinds.
func TestASilentServerServesNothingThatIsKnown(t *testing.T) {
	if _, err := discover(t.Context(), apis(t, nil)); err == nil {
		t.Error("it is taken for one that serves nothing")
	}
}
