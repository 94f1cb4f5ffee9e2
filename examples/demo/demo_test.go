package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"syncd.io/syncd/internal/kubetest"
)

// programs builds what `make demo` builds and returns the demo's options.
func programs(t *testing.T) options {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a Docker engine, or a cluster")
	}
	dir := t.TempDir()
	o := options{syncd: filepath.Join(dir, "syncd"), root: filepath.Join("..", "..")}
	if _, err := program(t.Context(), o.root, []string{"CGO_ENABLED=0"}, "go", "build", "-o", dir, "./cmd/syncd", "./cmd/syncd-render"); err != nil {
		t.Fatal(err)
	}
	return o
}

// record is the terminal of a test: it keeps what was told, and closes heard
// when it was told what to listen for.
type record struct {
	t      *testing.T
	mu     sync.Mutex
	text   bytes.Buffer
	listen string
	heard  chan struct{}
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text.Write(p)
	r.t.Log(strings.TrimRight(string(p), "\n"))
	if r.heard != nil && strings.Contains(r.text.String(), r.listen) {
		close(r.heard)
		r.heard = nil
	}
	return len(p), nil
}

func (r *record) told() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// nothingLeft fails the test where something of the demo is still there.
func nothingLeft(t *testing.T, told string) {
	t.Helper()
	found := regexp.MustCompile(`has ([0-9a-f]{4}) in its name`).FindStringSubmatch(told)
	if found == nil {
		t.Fatal("the demo did not say what its things are called")
	}
	mark := found[1]
	for _, list := range [][]string{
		{"ps", "-a", "--format", "{{.Names}}"},
		{"network", "ls", "--format", "{{.Name}}"},
		{"volume", "ls", "--format", "{{.Name}}"},
		{"image", "ls", "--format", "{{.Repository}}:{{.Tag}}"},
	} {
		names, err := docker(t.Context(), list...)
		if err != nil {
			t.Fatal(err)
		}
		for _, app := range []string{"shop-", "blog-", "metrics-", "syncd-demo-"} {
			if strings.Contains(names, app+mark) {
				t.Errorf("docker %s still has something of %s:\n%s", list[0], app+mark, names)
			}
		}
	}
}

func TestDemoTellsItsStoryAndLeavesNothing(t *testing.T) {
	o := programs(t)
	t.Setenv("TMPDIR", t.TempDir())
	out := &record{t: t}
	began := time.Now()
	if err := run(t.Context(), o, newTerminal(out, false)); err != nil {
		t.Errorf("the story failed: %v", err)
	}
	if took := time.Since(began); took > 2*time.Minute {
		t.Errorf("the story took %s, and is promised in under two minutes", took)
	}
	nothingLeft(t, out.told())
	emptyDir(t, os.TempDir())
}

func TestDemoCleansUpWhenItIsInterrupted(t *testing.T) {
	o := programs(t)
	t.Setenv("TMPDIR", t.TempDir())
	told := interrupted(t, o, "outcome=applied")
	nothingLeft(t, told)
	emptyDir(t, os.TempDir())
}

// interrupted tells the story until the terminal says what is listened for, and
// returns what was told up to its end.
func interrupted(t *testing.T, o options, listen string) string {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out := &record{t: t, listen: listen, heard: make(chan struct{})}
	heard := out.heard
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, o, newTerminal(out, false)) }()
	select {
	case <-heard:
	case err := <-ended:
		t.Fatalf("the demo ended before anything was deployed: %v", err)
	}
	interrupt()
	if err := <-ended; err == nil {
		t.Error("an interrupted demo succeeded")
	}
	return out.told()
}

func TestDemoFailsWithoutItsPrograms(t *testing.T) {
	err := run(t.Context(), options{syncd: "/nowhere/syncd", root: "."}, newTerminal(io.Discard, false))
	if err == nil || !strings.Contains(err.Error(), "make build") {
		t.Errorf("got %v, want a hint at make build", err)
	}
}

// emptyDir fails the test where something is left in dir.
func emptyDir(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 0 {
		t.Errorf("%s still holds %v (%v)", dir, entries, err)
	}
}

func TestDemoTellsItsStoryOnAClusterAndLeavesNothing(t *testing.T) {
	o := programs(t)
	o.kubernetes = true
	access := kubetest.Shared(t)
	t.Setenv("TMPDIR", t.TempDir())
	out := &record{t: t}
	began := time.Now()
	if err := run(t.Context(), o, newTerminal(out, false)); err != nil {
		t.Errorf("the story failed: %v", err)
	}
	if took := time.Since(began); took > 2*time.Minute {
		t.Errorf("the story took %s, and is promised in under two minutes", took)
	}
	nothingOnCluster(t, access, out.told())
	emptyDir(t, os.TempDir())
}

func TestDemoClearsTheClusterWhenItIsInterrupted(t *testing.T) {
	o := programs(t)
	o.kubernetes = true
	access := kubetest.Shared(t)
	t.Setenv("TMPDIR", t.TempDir())
	told := interrupted(t, o, "app=api outcome=applied")
	nothingOnCluster(t, access, told)
	emptyDir(t, os.TempDir())
}

// nothingOnCluster fails the test where the namespace of the demo is still there.
func nothingOnCluster(t *testing.T, access *kubetest.Access, told string) {
	t.Helper()
	found := regexp.MustCompile(`the namespace (webshop-[0-9a-f]{4})`).FindStringSubmatch(told)
	if found == nil {
		t.Fatal("the demo did not say what its namespace is called")
	}
	c := &cluster{Access: access, namespace: found[1]}
	if uid, err := c.text(t.Context(), "/api/v1/namespaces/"+c.namespace, "metadata", "uid"); err != nil || uid != "" {
		t.Errorf("the namespace %s is still there (%v)", c.namespace, err)
	}
}
