package dockertest

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"
)

// appPackage is the program that test images hold.
const appPackage = "syncd.io/syncd/internal/apply/docker/dockertest/app"

// Image builds an image FROM scratch that holds the test program as /app, and
// returns its unique reference NAME:TAG (tag "" is v1). Lines are added to its
// Dockerfile (ENV, VOLUME, HEALTHCHECK, …). It is removed when the test ends.
//
// The program serves on :8080: / answers its version, /healthz its health,
// /break and /repair change that; /echo?after=TIME answers its version and what it
// was sent, /socket is a WebSocket that echoes. On SIGUSR1 it answers what it has
// begun and exits with 7. Its flags, or variables APP_*: -listen,
// -version, -say "line|line", -write FILE, -exit CODE with -exit-after, and
// -healthy-after, -unhealthy, -ignore-term; `/app -probe URL` is a health probe,
// and -ask URL is a neighbour of another service, whom /asked tells about.
// As /syncd-gate (COPY app /syncd-gate) it is a gate's program of long ago.
func Image(t testing.TB, tag string, lines ...string) string {
	t.Helper()
	if tag == "" {
		tag = "v1"
	}
	return ImageNamed(t, Name()+":"+tag, lines...)
}

// ImageNamed is Image with a reference of the caller's own choice: a second
// build of one reference moves the tag.
func ImageNamed(t testing.TB, ref string, lines ...string) string {
	t.Helper()
	api := Client(t)
	program, err := app()
	if err != nil {
		t.Fatalf("build the test program: %v", err)
	}
	file := "FROM scratch\nCOPY app /app\nENTRYPOINT [\"/app\"]\nLABEL io.syncd.test=" + ref + "\n"
	for _, line := range lines {
		file += line + "\n"
	}
	files, err := archive(map[string][]byte{"Dockerfile": []byte(file), "app": program})
	if err != nil {
		t.Fatalf("pack image context: %v", err)
	}
	built(t, api, files, ref)
	return ref
}

// built builds an image from an archive of its context. It is removed when the
// test ends.
func built(t testing.TB, api *client.Client, files []byte, ref string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Limit)
	defer cancel()
	err := buildImage(ctx, api, bytes.NewReader(files), ref, false)
	if err != nil && layerGone(err) {
		err = buildImage(ctx, api, bytes.NewReader(files), ref, true)
	}
	if err != nil {
		t.Fatalf("build image %s: %v", ref, err)
	}
	id := ImageID(t, ref)
	t.Cleanup(func() { removeImage(t, api, ref, id) })
}

// layerGone tells whether a cached layer, or an image that was being built, has just gone
// with another test's image.
func layerGone(err error) bool {
	return strings.Contains(err.Error(), "no such file") || strings.Contains(err.Error(), "unable to find image")
}

// ImageID returns the ID of an image.
func ImageID(t testing.TB, ref string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Limit)
	defer cancel()
	in, err := Client(t).ImageInspect(ctx, ref)
	if err != nil {
		t.Fatalf("inspect image %s: %v", ref, err)
	}
	return in.ID
}

// Forget removes an image here, with all its names.
func Forget(t testing.TB, id string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Limit)
	defer cancel()
	if _, err := Client(t).ImageRemove(ctx, id, image.RemoveOptions{Force: true, PruneChildren: true}); err != nil {
		t.Fatalf("remove image %s: %v", id, err)
	}
}

func buildImage(ctx context.Context, api *client.Client, files io.Reader, ref string, anew bool) error {
	answer, err := api.ImageBuild(ctx, files, build.ImageBuildOptions{Tags: []string{ref}, Remove: true, ForceRemove: true, NoCache: anew})
	if err != nil {
		return fmt.Errorf("start build: %w", err)
	}
	defer answer.Body.Close()
	lines := json.NewDecoder(answer.Body)
	for {
		var line struct {
			Error string `json:"error"`
		}
		if err := lines.Decode(&line); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read build output: %w", err)
		}
		if line.Error != "" {
			return errors.New(line.Error)
		}
	}
}

// app compiles the test program once per test process.
var app = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", prefix)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	out := filepath.Join(dir, "app")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, appPackage)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false")
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, text)
	}
	return os.ReadFile(out)
})

// archive packs files by name; a name that ends in a slash is a directory.
func archive(files map[string][]byte) ([]byte, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for name, content := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(content); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return buf.Bytes(), err
}
