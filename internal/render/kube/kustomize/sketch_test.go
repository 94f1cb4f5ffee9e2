package kustomize

import (
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestUsesAreWhatIsNamed(t *testing.T) {
	paths, component := Uses([]byte(`
own: &own r2
shared: &shared {files: [f1, k=f2]}
resources: [r1, https://example.com/x, *own]
bases: [b1]
components: [c1]
crds: [d1]
configurations: [e1]
openapi: {path: o1}
patchesStrategicMerge: [p1, "a: b\nc: d"]
patchesJson6902: [{path: p2}]
patches: [{path: p3, target: {kind: X}}, {patch: x}]
replacements: [{path: p4}]
configMapGenerator: [{name: a, <<: *shared}, {env: f3}]
secretGenerator: [{envs: [f4]}]
generators: [g1]
transformers: [t1]
validators: [v1]
`))
	slices.Sort(paths)
	want := "b1 c1 d1 e1 f1 f2 f3 f4 g1 o1 p1 p2 p3 p4 r1 r2 t1 v1"
	if got := strings.Join(paths, " "); component || got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if paths, component := Uses([]byte("kind: Component\nresources: [a]\nunknown: 1\n")); !component || len(paths) != 1 {
		t.Errorf("component %t, %q", component, paths)
	}
	if paths, _ := Uses([]byte("resources: [a\n")); paths != nil {
		t.Errorf("of what is no YAML: %q", paths)
	}
}

// What one directory holds costs little, whatever it is: all of a cluster's apps are
// found together.
func TestWhatIsBuiltOnIsFoundWithoutSpreadingAliases(t *testing.T) {
	for name, text := range map[string]string{
		"a long text, often": "x: &a \"" + strings.Repeat("A", 120<<10) + "\"\nresources: [" + strings.Repeat("*a,", 40000) + "]\n",
		"a long list, often": "x: &a {files: [" + strings.Repeat("a,", 50000) + "]}\nconfigMapGenerator: [" + strings.Repeat("*a,", 40000) + "]\n",
		"in itself":          "x: &a {<<: *a}\nconfigMapGenerator: [*a]\n",
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			Uses([]byte(text))
			runtime.ReadMemStats(&after)
			if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 64 {
				t.Errorf("%d bytes take %d MiB", len(text), took)
			}
		})
	}
}
