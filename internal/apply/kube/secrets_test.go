package kube_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"syncd.io/syncd/internal/apply/kube"
	"syncd.io/syncd/internal/blob"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/kubetest"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// namespace makes one of the test's own on the shared cluster.
func namespace(t *testing.T) (*kubetest.Access, *rest.Config, string) {
	t.Helper()
	access := kubetest.Shared(t)
	name := fmt.Sprintf("syncdtest-state-%x", time.Now().UnixNano())
	do(t, access, http.MethodPost, "/api/v1/namespaces", map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name}})
	t.Cleanup(func() {
		if _, err := access.Do(context.WithoutCancel(t.Context()), http.MethodDelete, "/api/v1/namespaces/"+name, nil); err != nil {
			t.Error(err)
		}
	})
	return access, config(t, access.Kubeconfig()), name
}

func do(t *testing.T, access *kubetest.Access, method, path string, body any) map[string]any {
	t.Helper()
	out, err := access.Do(t.Context(), method, path, body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return out
}

func config(t *testing.T, kubeconfig string) *rest.Config {
	t.Helper()
	cfg, err := kube.Config(kubeconfig, "", "test")
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func secretsOf(t *testing.T, cfg *rest.Config, namespace string) *kube.Secrets {
	t.Helper()
	s, err := kube.NewSecrets(cfg, namespace)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func opened(t *testing.T, blobs state.Blobs) *state.Cluster {
	t.Helper()
	c, err := state.OpenCluster(t.Context(), state.ClusterOptions{Blobs: blobs, Place: "the test's namespace"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// wide is a record of a few MiB that does not compress well.
func wide(dir string) state.Record {
	noise := make([]byte, 3<<20)
	n := uint64(len(dir))
	for i := range noise {
		n = n*6364136223846793005 + 1442695040888963407
		noise[i] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"[n>>58]
	}
	return state.Record{App: "shop", Dir: dir, Good: &state.Set{Objects: []resource.Object{{Spec: fmt.Appendf(nil, `{"pad":%q}`, noise)}}}}
}

func TestSecretsKeepBlobsAsTheyArePromised(t *testing.T) {
	_, cfg, ns := namespace(t)
	s := secretsOf(t, cfg, ns)
	ctx := t.Context()
	b := blob.Blob{Name: "syncd-record-shop", Part: "record", Of: "shop", Data: []byte{1, 0, 255}}
	first, err := s.Put(ctx, b)
	if err != nil || first == "" {
		t.Fatal(first, err)
	}
	if _, err := s.Put(ctx, b); !errors.Is(err, fs.ErrExist) {
		t.Errorf("made twice: %v", err)
	}
	b.Version, b.Data = first, []byte("two")
	second, err := s.Put(ctx, b)
	if err != nil || second == first {
		t.Fatal(second, err)
	}
	if _, err := s.Put(ctx, b); !errors.Is(err, fs.ErrExist) {
		t.Errorf("written over a version that it did not know: %v", err)
	}
	got, err := s.Get(ctx, b.Name)
	b.Version, b.Made = second, got.Made
	if err != nil || !reflect.DeepEqual(got, b) || time.Since(got.Made) > time.Minute {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, b)
	}
	fixed := blob.Blob{Name: "syncd-chunk-1", Part: "chunk", Data: []byte("c"), Fixed: true}
	if fixed.Version, err = s.Put(ctx, fixed); err != nil {
		t.Fatal(err)
	}
	fixed.Data = []byte("d")
	if _, err := s.Put(ctx, fixed); err == nil {
		t.Error("a fixed blob was changed")
	}
	if all, err := s.List(ctx); err != nil || len(all) != 2 {
		t.Errorf("listed %+v, %v", all, err)
	}
	old := b
	old.Version = first
	if err := s.Delete(ctx, old); !errors.Is(err, fs.ErrExist) {
		t.Errorf("removed in a version that it did not know: %v", err)
	}
	if err := errors.Join(s.Delete(ctx, b), s.Delete(ctx, b), s.Delete(ctx, blob.Blob{Name: fixed.Name})); err != nil {
		t.Errorf("removed: %v", err)
	}
	if _, err := s.Put(ctx, b); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("written where its version is gone: %v", err)
	}
	if _, err := s.Get(ctx, b.Name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("read where it is gone: %v", err)
	}
	if all, err := s.List(ctx); err != nil || len(all) != 0 {
		t.Errorf("listed %+v, %v", all, err)
	}
}

func TestTheRecordLivesInTheCluster(t *testing.T) {
	access, cfg, ns := namespace(t)
	c := opened(t, secretsOf(t, cfg, ns))
	if _, err := c.SaveWith(wide("1"), state.Entry{App: "shop", Reason: "first"}); err != nil {
		t.Fatal(err)
	}
	next := opened(t, secretsOf(t, cfg, ns))
	if next.ID() != c.ID() || next.Recovered() != "" {
		t.Errorf("the next agent is %s and was %s; it tells %q", next.ID(), c.ID(), next.Recovered())
	}
	if got, err := next.Record("shop"); err != nil || !reflect.DeepEqual(got, wide("1")) {
		t.Errorf("the record is of %q, %v", got.Dir, err)
	}
	if err := next.Save(state.Record{App: "shop", Dir: "2"}); err != nil {
		t.Fatal(err)
	}
	if err := c.Save(wide("3")); fault.Of(err) != fault.Blocked || !strings.Contains(err.Error(), "another agent writes this record") {
		t.Errorf("the old agent's save came to %v", err)
	}
	list := do(t, access, http.MethodGet, "/api/v1/namespaces/"+ns+"/secrets?labelSelector=syncd.io/part%3Dchunk", nil)
	if items, _ := list["items"].([]any); len(items) != 3 { // the old agent's, which are too young to be collected
		t.Errorf("%d chunks", len(items))
	}
}

func TestForbiddenSecretsAreNamed(t *testing.T) {
	access, _, ns := namespace(t)
	nobody, err := access.User(t.TempDir(), "nobody", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	s := secretsOf(t, config(t, nobody), ns)
	_, listed := s.List(t.Context())
	_, put := s.Put(t.Context(), blob.Blob{Name: "syncd-key", Part: "key"})
	for verb, err := range map[string]error{"list": listed, "create": put} {
		text := fmt.Sprint(err)
		if fault.Of(err) != fault.Blocked || !strings.Contains(text, `cannot `+verb+` resource "secrets"`) || !strings.Contains(text, ns) || !strings.Contains(fault.Advice(err), "deploy/kubernetes") {
			t.Errorf("%s: %v (%s)", verb, err, fault.Advice(err))
		}
	}
}

func TestANamespaceThatIsNotThereIsNamed(t *testing.T) {
	access := kubetest.Shared(t)
	s := secretsOf(t, config(t, access.Kubeconfig()), "syncdtest-none")
	if _, err := s.Put(t.Context(), blob.Blob{Name: "syncd-key", Part: "key"}); fault.Of(err) != fault.Blocked || !strings.Contains(fault.Advice(err), "kubernetes.namespace") {
		t.Errorf("%v (%s), hint %q", err, fault.Of(err), fault.Advice(err))
	}
}

func TestARefusedSaveIsNotTheAppsFault(t *testing.T) {
	access, cfg, ns := namespace(t)
	do(t, access, http.MethodPost, "/api/v1/namespaces/"+ns+"/resourcequotas", map[string]any{
		"apiVersion": "v1", "kind": "ResourceQuota", "metadata": map[string]any{"name": "none"}, "spec": map[string]any{"hard": map[string]any{"count/secrets": "0"}},
	})
	s := secretsOf(t, cfg, ns)
	deadline := time.Now().Add(2 * time.Minute)
	for i := 0; ; i++ { // until the quota is in force
		_, err := s.Put(t.Context(), blob.Blob{Name: fmt.Sprint("syncd-", i), Part: "record"})
		if fault.Of(err) == fault.Blocked && strings.Contains(err.Error(), "exceeded quota") {
			return
		}
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("%v (%s)", err, fault.Of(err))
		}
	}
}

func TestAnOutageOfTheAPIIsUnreachable(t *testing.T) {
	cluster := kubetest.Start(t, kubetest.Options{})
	c := opened(t, secretsOf(t, config(t, cluster.Kubeconfig()), "default"))
	if err := c.Save(state.Record{App: "shop", Dir: "1"}); err != nil {
		t.Fatal(err)
	}
	cluster.StopAPIServer()
	if err := c.Save(state.Record{App: "shop", Dir: "2"}); fault.Of(err) != fault.Unreachable {
		t.Errorf("in an outage: %v (%s)", err, fault.Of(err))
	}
	if err := cluster.StartAPIServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Save(state.Record{App: "shop", Dir: "3"}); err != nil {
		t.Errorf("after it: %v", err)
	}
	if r, err := opened(t, secretsOf(t, config(t, cluster.Kubeconfig()), "default")).Record("shop"); err != nil || r.Dir != "3" {
		t.Errorf("the record is of %q, %v", r.Dir, err)
	}
}
