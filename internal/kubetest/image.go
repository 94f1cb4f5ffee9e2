package kubetest

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Image is an image made from scratch.
type Image struct {
	Tags       []string          // as NAME:TAG
	Files      map[string][]byte // what is in it, by absolute path; all may be executed
	Entrypoint []string
	Env        []string // as NAME=VALUE
}

// The images of every node. App's tags differ in the environment VERSION=TAG only.
const (
	App        = "syncd-test/app"
	pauseImage = "syncd-test/pause:1"
)

// AppTags are the versions of App that a node has.
func AppTags() []string { return []string{"1", "2", "3", "4", "5"} }

// Load gives an image to the node, under all its tags.
func (a *Access) Load(ctx context.Context, image Image) error {
	archive, err := image.archive()
	if err != nil {
		return err
	}
	return a.LoadArchive(ctx, bytes.NewReader(archive))
}

// LoadArchive gives the node what docker save writes.
func (a *Access) LoadArchive(ctx context.Context, archive io.Reader) error {
	if err := a.ctr(ctx, archive, "-n", "k8s.io", "images", "import", "-"); err != nil {
		return fmt.Errorf("load an image: %w", err)
	}
	return nil
}

// ctr runs containerd's own client on the node.
func (a *Access) ctr(ctx context.Context, stdin io.Reader, args ...string) error {
	cmd := exec.CommandContext(ctx, "ctr", append([]string{"--address", a.socket()}, args...)...)
	cmd.Stdin = stdin
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ctr %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

// archive writes the image as docker save does.
func (i Image) archive() ([]byte, error) {
	layer, err := pack(i.Files)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(layer)
	config, err := json.Marshal(object{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": object{"Entrypoint": i.Entrypoint, "Env": i.Env},
		"rootfs": object{"type": "layers", "diff_ids": []string{"sha256:" + hex.EncodeToString(sum[:])}},
	})
	if err != nil {
		return nil, fmt.Errorf("write an image's config: %w", err)
	}
	manifest, err := json.Marshal([]object{{"Config": "config.json", "RepoTags": i.Tags, "Layers": []string{"layer.tar"}}})
	if err != nil {
		return nil, fmt.Errorf("write an image's manifest: %w", err)
	}
	return pack(map[string][]byte{"config.json": config, "layer.tar": layer, "manifest.json": manifest})
}

// pack writes a tar archive, with the directories above its files.
func pack(files map[string][]byte) ([]byte, error) {
	var out bytes.Buffer
	archive := tar.NewWriter(&out)
	made := map[string]bool{".": true, "/": true}
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if dir := path.Dir(name); !made[dir] {
			made[dir] = true
			if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: strings.TrimPrefix(dir, "/") + "/", Mode: 0o755}); err != nil {
				return nil, fmt.Errorf("pack %s: %w", dir, err)
			}
		}
		if err := archive.WriteHeader(&tar.Header{Name: strings.TrimPrefix(name, "/"), Mode: 0o755, Size: int64(len(files[name]))}); err != nil {
			return nil, fmt.Errorf("pack %s: %w", name, err)
		}
		if _, err := archive.Write(files[name]); err != nil {
			return nil, fmt.Errorf("pack %s: %w", name, err)
		}
	}
	if err := archive.Close(); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	return out.Bytes(), nil
}

// loadOwnImages builds the test program and gives the node its images.
func (a *Access) loadOwnImages(ctx context.Context) error {
	program, err := buildApp(ctx, a.dir)
	if err != nil {
		return err
	}
	files := map[string][]byte{"/app": program, "/tmp/.keep": nil}
	images := []Image{{Tags: []string{pauseImage}, Files: files, Entrypoint: []string{"/app", "pause"}}}
	for _, tag := range AppTags() {
		images = append(images, Image{Tags: []string{App + ":" + tag}, Files: files, Entrypoint: []string{"/app"}, Env: []string{"VERSION=" + tag}})
	}
	for _, image := range images {
		if err := a.Load(ctx, image); err != nil {
			return err
		}
	}
	return nil
}

// buildApp builds the program of the images, static, and returns it.
func buildApp(ctx context.Context, dir string) ([]byte, error) {
	program := filepath.Join(dir, "app")
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-trimpath", "-ldflags=-s -w", "-o", program, "syncd.io/syncd/internal/kubetest/testapp")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the test program: %w\n%s", err, out)
	}
	content, err := os.ReadFile(program)
	if err != nil {
		return nil, fmt.Errorf("read the test program: %w", err)
	}
	return content, nil
}
