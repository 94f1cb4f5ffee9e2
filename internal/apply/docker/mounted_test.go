package docker

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/spec"
)

// What a container mounts is known, whether it runs or not, by a file and by a
// tree.
func TestMountedKnowsWhatContainersMount(t *testing.T) {
	f := newFixture(t)
	image := dockertest.Image(t, "v1")
	dir := t.TempDir()
	f.engine.opts.Mounts = dir
	if got, err := f.engine.Mounted(f.ctx); err != nil || len(got) != 0 {
		t.Fatalf("before anything mounts it, %v and %v", got, err)
	}
	mounts := func(sources ...string) func(*spec.Container) {
		return func(c *spec.Container) {
			for i, source := range sources {
				path := filepath.Join(dir, source)
				if err := os.MkdirAll(path, 0o755); err != nil {
					t.Fatal(err)
				}
				c.Mounts = append(c.Mounts, spec.Mount{Type: "bind", Source: spec.MountPrefix + source, Target: "/etc/" + string(rune('a'+i)), ReadOnly: true})
			}
		}
	}
	running := f.container(image, "web", 1, mounts("aa11/conf", "bb22/tree/below"))
	stopped := f.container(image, "job", 1, mounts("cc33/conf", "bb22/tree"))
	f.put(running)
	if err := f.target.Stop(f.ctx, stopped.Key, f.put(stopped)); err != nil {
		t.Fatal(err)
	}
	got, err := f.engine.Mounted(f.ctx)
	if want := []string{"aa11", "bb22", "cc33"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("mounted are %v (%v), want %v", got, err, want)
	}
}
