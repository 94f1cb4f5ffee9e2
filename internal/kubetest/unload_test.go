package kubetest

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestWhatIsUnloadedIsNobodyElses(t *testing.T) {
	const table = `REF TYPE DIGEST SIZE
registry.example/library/demo:1 docker sha256:aa 5 MiB
registry.example/library/demo:2 docker sha256:bb 5 MiB
registry.example/library/other:2 docker sha256:bb 5 MiB
registry.example/library/my-demo:1 docker sha256:cc 5 MiB
sha256:01 docker sha256:aa 5 MiB
sha256:02 docker sha256:bb 5 MiB
sha256:03 docker sha256:cc 5 MiB
`
	got := unloaded(table, []string{"demo:1", "demo:2", "demo:3"})
	want := []string{"registry.example/library/demo:1", "registry.example/library/demo:2", "sha256:01"}
	if !slices.Equal(got, want) {
		t.Errorf("unloads %v, want %v", got, want)
	}
}

func TestAnImageIsLoadedAndUnloaded(t *testing.T) {
	a := Shared(t)
	tag := fmt.Sprintf("syncdtest-unload:%d", os.Getpid())
	if err := a.Load(t.Context(), Image{Tags: []string{tag}, Files: map[string][]byte{"/" + tag: []byte(tag)}, Entrypoint: []string{"/x"}}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is nothing to unload
		if err := a.Unload(t.Context(), tag); err != nil {
			t.Fatal(err)
		}
	}
	table := said(t, "ctr", "--address", a.socket(), "-n", "k8s.io", "images", "ls")
	if strings.Contains(table, tag) {
		t.Errorf("still there:\n%s", table)
	}
}
