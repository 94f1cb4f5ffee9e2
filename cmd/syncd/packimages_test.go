package main

import (
	"path/filepath"
	"slices"
	"testing"

	"syncd.io/syncd/internal/apply/docker"
	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/image"
)

// An image that was built on one engine, and is in no registry, runs on another one
// as what it was there; the next version of it brings its own layer only.
func TestImagesOfAnEngineGoToAnother(t *testing.T) {
	dockertest.Client(t)
	engine, err := docker.Open(t.Context(), docker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	host := config.Host{State: t.TempDir()}
	name := dockertest.Name() + ":v1"
	received, err := receivedOf(t.Context(), host, engine, "")
	if err != nil {
		t.Fatal(err)
	}
	var held []string
	for round, lines := range [][]string{nil, {"COPY app /more"}} {
		dockertest.ImageNamed(t, name, lines...)
		id := dockertest.ImageID(t, name)
		platform, err := engine.Platform(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c, err := collectorOf(host, engine, t.TempDir(), []string{platform}, nil)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), "oci")
		packed, err := c.Collect(t.Context(), []string{name}, func(d string) bool { return slices.Contains(held, d) }, dir)
		if err != nil {
			t.Fatal(err)
		}
		if brought, err := (image.Received{Dir: dir}).Held(t.Context()); err != nil || len(brought) != 3 { // manifest, configuration, a layer
			t.Errorf("round %d brings %d blobs, %v", round, len(brought), err)
		}
		dockertest.Forget(t, id)
		if err := received.Load(t.Context(), dir, packed); err != nil {
			t.Fatal(err)
		}
		if got := dockertest.ImageID(t, name); got != id {
			t.Errorf("round %d: it came as %s, and was %s", round, got, id)
		}
		if err := received.Load(t.Context(), dir, packed); err != nil {
			t.Errorf("once more: %v", err)
		}
		if held, err = received.Held(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
