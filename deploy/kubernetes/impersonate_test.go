package kubernetes

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/kube"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/kubetest"
	"syncd.io/syncd/internal/resource"
)

// An agent that has nothing but the component's role does what its app's account
// may, and nothing else.
func TestImpersonatingIsEnough(t *testing.T) {
	c := &cluster{t: t, access: kubetest.Shared(t), namespace: fmt.Sprintf("syncdtest-as-%08x", rand.Uint32())}
	c.do(http.MethodPost, "/api/v1/namespaces", map[string]any{"metadata": map[string]any{"name": c.namespace}})
	t.Cleanup(func() { c.remove("/api/v1/namespaces/" + c.namespace) })
	user, err := c.access.User(t.TempDir(), c.namespace, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	var roles []tree
	for _, o := range build(t, map[string]string{"kustomization.yaml": "resources: [../base]\ncomponents: [../base/impersonate]\n"}) {
		if o.text("metadata", "name") != "syncd-impersonate" {
			continue
		}
		o["metadata"].(map[string]any)["namespace"] = c.namespace
		if o.text("kind") == "RoleBinding" {
			o["subjects"] = []any{map[string]any{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": c.namespace}}
		}
		roles = append(roles, o)
	}
	c.apply(append(roles, deployer(c.namespace)...))

	engine, err := kube.Open(t.Context(), kube.Options{Kubeconfig: user, Agent: "0123456789ab", Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	want := []resource.Object{{Key: resource.Key{Kind: "ConfigMap", Namespace: c.namespace, Name: "greeting"}, Spec: []byte(
		`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"greeting","namespace":"` + c.namespace + `"},"data":{"text":"hello"}}`)}}
	for _, as := range []string{"", c.namespace + "/default"} {
		err := puts(t, engine, as, want)
		if fault.Of(err) != fault.Blocked || !strings.Contains(fmt.Sprint(err), "cannot") {
			t.Errorf("as %q it came to %v (%s)", as, err, fault.Of(err))
		}
	}
	if err := puts(t, engine, c.namespace+"/deployer", want); err != nil {
		t.Fatal(err)
	}
	if c.get("ConfigMap", "greeting") == nil {
		t.Error("nothing was put")
	}
}

func puts(t *testing.T, engine *kube.Engine, as string, want []resource.Object) error {
	target := engine.Target("shop-" + strings.ReplaceAll(as, "/", "-"))
	if _, err := target.Observe(t.Context(), want, apply.Owned{App: "shop", As: as}); err != nil {
		return err
	}
	_, err := target.Put(t.Context(), want[0])
	return err
}

// deployer is an account that may keep ConfigMaps.
func deployer(namespace string) []tree {
	meta := func() map[string]any { return map[string]any{"name": "deployer", "namespace": namespace} }
	const rbac = "rbac.authorization.k8s.io"
	return []tree{
		{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta()},
		{"apiVersion": rbac + "/v1", "kind": "Role", "metadata": meta(), "rules": []any{
			map[string]any{"apiGroups": []any{""}, "resources": []any{"configmaps"}, "verbs": []any{"get", "list", "watch", "create", "patch", "update", "delete"}},
		}},
		{
			"apiVersion": rbac + "/v1", "kind": "RoleBinding", "metadata": meta(),
			"roleRef":  map[string]any{"apiGroup": rbac, "kind": "Role", "name": "deployer"},
			"subjects": []any{map[string]any{"kind": "ServiceAccount", "name": "deployer", "namespace": namespace}},
		},
	}
}
