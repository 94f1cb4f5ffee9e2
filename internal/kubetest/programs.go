package kubetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"syncd.io/syncd/internal/fault"
)

// Version is the version of Kubernetes that test/cluster pins.
const Version = "v1.36.3"

// linking stamps the version into the programs, as an official build does:
// unstamped, an API server calls itself v0.0.0, and refuses feature checks.
func linking() string {
	const stamp = " -X k8s.io/component-base/version."
	number := strings.Split(strings.TrimPrefix(Version, "v"), ".")
	return "-s -w" + stamp + "gitVersion=" + Version + stamp + "gitMajor=" + number[0] + stamp + "gitMinor=" + number[1] + stamp + "gitTreeState=clean"
}

// built names the programs that test/cluster builds.
func built() []string {
	return []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"}
}

// errNotBuilt says that a program of Kubernetes is not in the cache yet.
var errNotBuilt = errors.New("is not built")

// project returns the root of the module that the working directory is in.
func project(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("ask go for the module's directory: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}

// programs returns the directory in the user's cache where the programs of
// Kubernetes are, or will be: another go.sum is another directory.
func programs(ctx context.Context) (string, error) {
	root, err := project(ctx)
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(root, "test", "cluster", name))
		if err != nil {
			return "", fmt.Errorf("read the module of the test cluster: %w", err)
		}
		hash.Write(content)
	}
	hash.Write([]byte(linking()))
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the user's cache: %w", err)
	}
	return filepath.Join(cache, "syncd", "kubernetes-"+Version, hex.EncodeToString(hash.Sum(nil))[:12]), nil
}

// missing returns the programs that are not in dir.
func missing(dir string) []string {
	var names []string
	for _, name := range built() {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			names = append(names, name)
		}
	}
	return names
}

// Programs returns the directory with the programs of Kubernetes. Where one is
// not built yet, it says so.
func Programs(ctx context.Context) (string, error) {
	dir, err := programs(ctx)
	if err != nil {
		return "", err
	}
	if absent := missing(dir); len(absent) > 0 {
		return "", fault.Hint(fmt.Errorf("%s %w", strings.Join(absent, ", "), errNotBuilt), "make cluster builds it, in about five minutes")
	}
	return dir, nil
}

// BuildPrograms builds those programs of Kubernetes that are not in the user's
// cache yet, which takes minutes, and returns their directory. Two at once build
// them once.
func BuildPrograms(ctx context.Context, say func(format string, args ...any)) (string, error) {
	dir, err := programs(ctx)
	if err != nil || len(missing(dir)) == 0 {
		return dir, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make the cache of programs: %w", err)
	}
	unlock, err := lock(ctx, filepath.Join(dir, ".lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	if absent := missing(dir); len(absent) > 0 {
		say("building %s of Kubernetes %s, once; this takes about five minutes", strings.Join(absent, ", "), Version)
		return dir, buildPrograms(ctx, dir, absent)
	}
	return dir, nil
}

// buildPrograms builds named programs beside where they belong, and moves them
// there whole: one that is cut off must not pass for built.
func buildPrograms(ctx context.Context, dir string, names []string) error {
	root, err := project(ctx)
	if err != nil {
		return err
	}
	stage, err := os.MkdirTemp(dir, ".building-")
	if err != nil {
		return fmt.Errorf("make a directory to build in: %w", err)
	}
	defer func() { _ = os.RemoveAll(stage) }() // what is left there is of no use, and in nobody's way
	args := []string{"build", "-buildvcs=false", "-trimpath", "-ldflags", linking(), "-o", stage + string(filepath.Separator)}
	for _, name := range names {
		args = append(args, "k8s.io/kubernetes/cmd/"+name)
	}
	build := exec.CommandContext(ctx, "go", args...)
	build.Dir = filepath.Join(root, "test", "cluster")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", strings.Join(names, ", "), err, out)
	}
	for _, name := range names {
		if err := os.Rename(filepath.Join(stage, name), filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("keep %s: %w", name, err)
		}
	}
	return nil
}
