package kubernetes

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/kube"
	"syncd.io/syncd/internal/kubetest"
	"syncd.io/syncd/internal/state"
)

// cluster is what is deployed on the shared cluster, in a namespace of its own.
type cluster struct {
	t         *testing.T
	access    *kubetest.Access
	namespace string
}

// plurals are the paths of the kinds that are deployed.
func plurals() map[string]string {
	return map[string]string{
		"Namespace": "/api/v1/namespaces", "ServiceAccount": "/api/v1/namespaces/NS/serviceaccounts", "ConfigMap": "/api/v1/namespaces/NS/configmaps",
		"Deployment": "/apis/apps/v1/namespaces/NS/deployments", "PodDisruptionBudget": "/apis/policy/v1/namespaces/NS/poddisruptionbudgets",
		"Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/NS/roles", "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/NS/rolebindings",
		"ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
	}
}

func (c *cluster) do(method, path string, body any) map[string]any {
	c.t.Helper()
	out, err := c.access.Do(c.t.Context(), method, path, body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return out
}

// get returns an object of the namespace; nil where it is not there.
func (c *cluster) get(kind, name string) tree {
	out, err := c.access.Do(c.t.Context(), http.MethodGet, strings.ReplaceAll(plurals()[kind], "NS", c.namespace)+"/"+name, nil)
	if err != nil {
		return nil
	}
	return out
}

func (c *cluster) pods() []tree {
	list := c.do(http.MethodGet, "/api/v1/namespaces/"+c.namespace+"/pods?labelSelector=app.kubernetes.io/name%3Dsyncd", nil)
	items, _ := list["items"].([]any)
	var out []tree
	for _, item := range items {
		out = append(out, item.(map[string]any))
	}
	return out
}

// ready counts the pods that are.
func (c *cluster) ready() int {
	n := 0
	for _, pod := range c.pods() {
		for _, condition := range asList(pod.at("status", "conditions")) {
			if condition.text("type") == "Ready" && condition.text("status") == "True" && pod.at("metadata", "deletionTimestamp") == nil {
				n++
			}
		}
	}
	return n
}

func asList(v any) []tree {
	items, _ := v.([]any)
	var out []tree
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// leader is the pod that holds the lease; empty where none does.
func (c *cluster) leader() string {
	lease, err := c.access.Do(c.t.Context(), http.MethodGet, "/apis/coordination.k8s.io/v1/namespaces/"+c.namespace+"/leases/syncd", nil)
	if err != nil {
		return ""
	}
	pod, _, _ := strings.Cut(tree(lease).text("spec", "holderIdentity"), "_")
	return pod
}

// within waits until what is asked for is so, and returns how long that took.
func (c *cluster) within(limit time.Duration, what string, so func() bool) time.Duration {
	c.t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for begun := time.Now(); ; <-tick.C {
		if so() {
			return time.Since(begun)
		}
		if time.Since(begun) > limit {
			c.t.Fatalf("not within %v: %s\n%s", limit, what, c.story())
		}
	}
}

// story is what the pods say.
func (c *cluster) story() string {
	var out strings.Builder
	for _, pod := range c.pods() {
		name := pod.text("metadata", "name")
		fmt.Fprintf(&out, "--- %s: %s %v\n", name, pod.text("status", "phase"), pod.at("status", "containerStatuses"))
		if text, err := c.access.Read(c.t.Context(), "/api/v1/namespaces/"+c.namespace+"/pods/"+name+"/log"); err == nil {
			out.Write(text)
		}
	}
	for _, event := range asList(c.do(http.MethodGet, "/api/v1/namespaces/"+c.namespace+"/events?limit=40", nil)["items"]) {
		if event.text("type") != "Normal" {
			fmt.Fprintln(&out, event.text("involvedObject", "name"), event.text("reason"), event.text("message"))
		}
	}
	return out.String()
}

// image builds the agent's image, with a repository in it, and gives it to the node.
func (c *cluster) image(tag string, repository map[string]string) {
	c.t.Helper()
	dir := c.t.TempDir()
	run := func(in, name string, args ...string) {
		cmd := exec.CommandContext(c.t.Context(), name, args...)
		cmd.Dir = in
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org")
		if out, err := cmd.CombinedOutput(); err != nil {
			c.t.Fatalf("%s %v: %v\n%s", name, args, err, out)
		}
	}
	files := map[string][]byte{}
	for _, program := range []string{"syncd", "syncd-render"} {
		run("../..", "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(dir, program), "./cmd/"+program)
		data, err := os.ReadFile(filepath.Join(dir, program))
		if err != nil {
			c.t.Fatal(err)
		}
		files["/usr/local/bin/"+program] = data
	}
	work := filepath.Join(dir, "repo")
	for name, text := range repository {
		path := filepath.Join(work, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			c.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			c.t.Fatal(err)
		}
	}
	run(work, "git", "init", "-q", "-b", "main")
	run(work, "git", "add", ".")
	run(work, "git", "commit", "-q", "-m", "one")
	if err := filepath.WalkDir(work, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".sample") {
			return err
		}
		files["/repo"+strings.TrimPrefix(path, work)], err = os.ReadFile(path)
		return err
	}); err != nil {
		c.t.Fatal(err)
	}
	if err := c.access.Load(c.t.Context(), kubetest.Image{Tags: []string{"syncd:" + tag}, Files: files, Entrypoint: []string{"/usr/local/bin/syncd"}}); err != nil {
		c.t.Fatal(err)
	}
}

// rank puts the namespace before all else.
func rank(o tree) string { return strings.TrimPrefix(o.text("kind"), "Namespace") }

// apply applies the objects as a person would; what is of the cluster and not of
// the namespace is named after that.
func (c *cluster) apply(objects []tree) {
	c.t.Helper()
	slices.SortStableFunc(objects, func(a, b tree) int { return strings.Compare(rank(a), rank(b)) })
	for _, o := range objects {
		path := plurals()[o.text("kind")]
		if o.text("kind") == "ClusterRoleBinding" {
			o["metadata"].(map[string]any)["name"] = "syncd-all-" + c.namespace
			c.t.Cleanup(func() { c.remove(path + "/" + o.text("metadata", "name")) })
		}
		c.do(http.MethodPatch, strings.ReplaceAll(path, "NS", c.namespace)+"/"+o.text("metadata", "name")+"?fieldManager=test&force=true", o)
	}
}

func (c *cluster) remove(path string) {
	if _, err := c.access.Do(context.WithoutCancel(c.t.Context()), http.MethodDelete, path, nil); err != nil {
		c.t.Error(err)
	}
}

const overlay = `namespace: NS
resources: [../base]
components: [../base/all]
images: [{name: syncd, newTag: TAG}]
configMapGenerator:
  - {name: syncd-config, namespace: syncd, behavior: replace, files: [syncd.yaml]}
`

const settings = `repo: {url: "file:///repo", interval: 1s}
kubernetes: {}
metrics: {listen: "0.0.0.0:9185"}
limits: {fetchMemory: 512MiB}
`

const app = `apiVersion: v1
kind: ConfigMap
metadata: {name: greeting}
data: {text: hello}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: web
          image: syncd-test/app:1
          securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
          readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}
`

func TestLeaderGoneAndTheOtherTakesOver(t *testing.T) {
	c := &cluster{t: t, access: kubetest.Shared(t), namespace: fmt.Sprintf("syncdtest-deploy-%08x", rand.Uint32())}
	const tag = "deploytest" // always the same: the node keeps one of them
	c.image(tag, map[string]string{
		"web/.syncd.yaml": "kubernetes: {namespace: " + c.namespace + "}\nrollout: {soak: 1s}\n", "web/web.yaml": app,
	})
	t.Cleanup(func() { c.remove("/api/v1/namespaces/" + c.namespace) })
	c.apply(build(t, map[string]string{"kustomization.yaml": strings.NewReplacer("NS", c.namespace, "TAG", tag).Replace(overlay), "syncd.yaml": settings}))

	c.within(2*time.Minute, "both are ready, and one leads", func() bool { return c.ready() == 2 && c.leader() != "" })
	c.within(time.Minute, "the app is good", func() bool { return len(c.history()) == 1 })
	first, web := c.leader(), c.get("Deployment", "web")
	if web == nil || c.get("ConfigMap", "greeting") == nil {
		t.Fatalf("the app is not there:\n%s", c.story())
	}

	c.do(http.MethodDelete, "/api/v1/namespaces/"+c.namespace+"/pods/"+first, nil)
	took := c.within(30*time.Second, "the other leads", func() bool { now := c.leader(); return now != "" && now != first })
	t.Logf("the other leads after %v", took.Round(100*time.Millisecond))

	c.do(http.MethodDelete, strings.ReplaceAll(plurals()["ConfigMap"], "NS", c.namespace)+"/greeting", nil)
	took = c.within(30*time.Second, "the new leader puts back what is missing", func() bool { return c.get("ConfigMap", "greeting") != nil })
	t.Logf("what was deleted is back after %v", took.Round(100*time.Millisecond))
	c.within(20*time.Second, "the repair is on record", func() bool { return len(c.history()) == 2 })
	after := c.get("Deployment", "web")
	if was, is := web.text("metadata", "uid"), after.text("metadata", "uid"); was != is || after.at("metadata", "generation") != web.at("metadata", "generation") {
		t.Errorf("the workload was applied again: %v of %s, and was %v of %s", after.at("metadata", "generation"), is, web.at("metadata", "generation"), was)
	}
	for i, kind := range []string{"repair", "sync"} {
		if e := c.history()[i]; e.Kind != kind {
			t.Errorf("entry %d is a %s (%s), want a %s", i, e.Kind, e.Outcome, kind)
		}
	}
	c.within(time.Minute, "both are ready again", func() bool { return c.ready() == 2 })
}

// history is what the record in the cluster says of what was done, read beside the agents: a read
// of a record that is there writes nothing.
func (c *cluster) history() []state.Entry {
	c.t.Helper()
	cfg, err := kube.Config(c.access.Kubeconfig(), "", "test")
	if err != nil {
		c.t.Fatal(err)
	}
	secrets, err := kube.NewSecrets(cfg, c.namespace)
	if err != nil {
		c.t.Fatal(err)
	}
	record, err := state.OpenCluster(c.t.Context(), state.ClusterOptions{Blobs: secrets, Place: c.namespace})
	if err != nil {
		c.t.Fatal(err)
	}
	entries, err := record.History("web", 0)
	if err != nil {
		c.t.Fatal(err)
	}
	return slices.DeleteFunc(entries, func(e state.Entry) bool { return e.Kind == "drift" || e.Outcome == "started" })
}
