package kustomize

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// tripwire is the way out that kustomize would take for a file.
type tripwire struct{ tries *atomic.Int64 }

// RoundTrip counts, and goes nowhere.
func (w tripwire) RoundTrip(*http.Request) (*http.Response, error) {
	w.tries.Add(1)
	return nil, errors.New("tripwire")
}

// offline counts what kustomize would fetch: by HTTP, or with the program git, or
// with helm. The returned function says how often it tried.
func offline(t testing.TB) func() int {
	t.Helper()
	before, wire := http.DefaultTransport, tripwire{tries: &atomic.Int64{}}
	http.DefaultTransport = wire
	t.Cleanup(func() { http.DefaultTransport = before })
	bin, marks := t.TempDir(), filepath.Join(t.TempDir(), "marks")
	for _, program := range []string{"git", "helm", "helmV3", "docker"} {
		if err := os.WriteFile(filepath.Join(bin, program), []byte("#!/bin/sh\necho "+program+" >> '"+marks+"'\nexit 1\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin)
	return func() int {
		data, err := os.ReadFile(marks)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
		return int(wire.tries.Load()) + strings.Count(string(data), "\n")
	}
}

// The wire is where kustomize goes: without the check it is tripped.
func TestTheTripwireIsInTheWay(t *testing.T) {
	tries := offline(t)
	for want, entry := range []string{"", "https://example.com/a.yaml", "https://github.com/a/b"} {
		if entry == "" {
			continue
		}
		root := repository(t, map[string]string{"app/kustomization.yaml": "resources: ['" + entry + "']\n"})
		if err := unchecked(t, root); err == nil {
			t.Errorf("%s was built", entry)
		}
		if tries() < want {
			t.Errorf("%s tripped nothing", entry)
		}
	}
}

func FuzzKustomization(f *testing.F) {
	f.Add("resources: [a.yaml]\n", "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: a}\npath: a.yaml\n")
	f.Add("transformers: [p.yaml]\nresources: [a.yaml]\n", "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: a}\npath: https://example.com/x\n")
	f.Add("generators:\n- |\n  https://example.com/x\n  a\n", "")
	f.Add("resources:\n- 'git@x:a/b'\npatchesStrategicMerge:\n- |\n  http://x/y\n", "")
	f.Add("openapi: {path: p.yaml}\nconfigurations: [p.yaml]\ncrds: [p.yaml]\nvars: [{}]\nreplacements: [{path: p.yaml}]\n", "[]")
	f.Add("configMapGenerator: [{name: a, files: [=https://x/y, 'a=b=c'], envs: [p.yaml], literals: [a]}]\n", "A=1")
	f.Fuzz(func(t *testing.T, kustomization, plugin string) {
		if strings.HasPrefix(kustomization, "-> ") || strings.HasPrefix(plugin, "-> ") {
			return
		}
		tries := offline(t)
		root := repository(t, map[string]string{"app/kustomization.yaml": kustomization, "app/p.yaml": plugin, "app/a.yaml": manifest})
		_, _, err := built(t, root, "app")
		if n := tries(); n > 0 {
			t.Errorf("it tried to fetch %d times: %v", n, err)
		}
		if err != nil && strings.Contains(err.Error(), root) {
			t.Errorf("the error tells where the snapshot is: %v", err)
		}
	})
}
