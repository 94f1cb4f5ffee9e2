package kubetest

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// files reads a tar archive: the content by name.
func files(t *testing.T, archive []byte) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	for reader := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		if found[header.Name], err = io.ReadAll(reader); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnImageIsWhatDockerSaveWrites(t *testing.T) {
	image := Image{Tags: []string{"a:1", "a:2"}, Files: map[string][]byte{"/bin/a": []byte("program"), "/etc/b": nil}, Entrypoint: []string{"/bin/a"}}
	archive, err := image.archive()
	if err != nil {
		t.Fatal(err)
	}
	saved := files(t, archive)
	var manifest []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	if err := json.Unmarshal(saved["manifest.json"], &manifest); err != nil || len(manifest) != 1 || !slices.Equal(manifest[0].RepoTags, image.Tags) {
		t.Fatalf("the manifest is %s: %v", saved["manifest.json"], err)
	}
	layer := files(t, saved[manifest[0].Layers[0]])
	if string(layer["bin/a"]) != "program" {
		t.Errorf("the layer has %v", layer)
	}
	if _, has := layer["etc/"]; !has {
		t.Error("the layer has no directory etc")
	}
	if !strings.Contains(string(saved[manifest[0].Config]), `"Entrypoint":["/bin/a"]`) {
		t.Errorf("the config is %s", saved[manifest[0].Config])
	}
}

func TestAnotherGoSumIsAnotherCache(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	root := t.TempDir()
	module := filepath.Join(root, "test", "cluster")
	if err := os.MkdirAll(module, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(root, "go.mod"), filepath.Join(module, "go.mod"), filepath.Join(module, "go.sum")} {
		if err := os.WriteFile(path, []byte("module example.test\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(root)
	first, err := programs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Programs(t.Context()); !errors.Is(err, errNotBuilt) {
		t.Errorf("what is not built is said to be: %v", err)
	}
	if err := os.WriteFile(filepath.Join(module, "go.sum"), []byte("changed\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	second, err := programs(t.Context())
	if err != nil || first == second {
		t.Errorf("first %s, then %s: %v", first, second, err)
	}
}

func TestVersionIsTheOneThatIsPinned(t *testing.T) {
	content, err := os.ReadFile("../../test/cluster/go.mod")
	if err != nil || !strings.Contains(string(content), "k8s.io/kubernetes "+Version+" ") {
		t.Errorf("test/cluster does not pin %s: %v", Version, err)
	}
}

func TestWhatALiveTestHasIsNotClearedAway(t *testing.T) {
	dir, err := newDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Remove(dir); err != nil {
			t.Error(err)
		}
	})
	if abandoned(dir) {
		t.Error("the directory of this very process counts as abandoned")
	}
	foreign := filepath.Join(filepath.Dir(dir), "syncd-kubetest-elsewhere")
	if abandoned(foreign) {
		t.Error("a directory that names no process counts as abandoned")
	}
}

func TestATailIsTheLastLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte("one\ntwo\nthree\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for lines, want := range map[int]string{2: "two\nthree", 9: "one\ntwo\nthree"} {
		if got := tail(path, lines); got != want {
			t.Errorf("the last %d lines are %q, want %q", lines, got, want)
		}
	}
}

func TestKubeconfigIsReadBack(t *testing.T) {
	dir := t.TempDir()
	ours, err := newAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	who, err := ours.issue(subject{name: "jane", groups: []string{"readers"}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "kubeconfig")
	if err := writeKubeconfig(path, "https://203.0.113.1:443", ours.pem, who); err != nil {
		t.Fatal(err)
	}
	access, err := openKubeconfig(path)
	if err != nil || access.URL() != "https://203.0.113.1:443" || access.Kubeconfig() != path {
		t.Errorf("it says %+v: %v", access, err)
	}
}
