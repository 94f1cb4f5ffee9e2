// Package reference builds the program helm, of the version that the renderer's
// library has, for tests to compare with. Its module is test/reference-helm.
package reference

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// program is what is built, and what it is called.
const (
	source  = "helm.sh/helm/v3/cmd/helm"
	program = "helm"
)

// Program returns the file of the program helm. It is built once, in a minute or two,
// into the user's cache; where it is not there yet, a short test is skipped.
func Program(t testing.TB) string {
	t.Helper()
	module := module(t)
	dir := cache(t, module)
	file := filepath.Join(dir, program)
	if _, err := os.Stat(file); err == nil {
		return file
	}
	if testing.Short() {
		t.Skip("needs the program helm, which takes a minute or two to build")
	}
	build(t, module, dir, file)
	return file
}

// module is the directory of the module that pins the program.
func module(t testing.TB) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOMOD").Output()
	if err != nil {
		t.Fatalf("ask go for the module's directory: %v", err)
	}
	return filepath.Join(filepath.Dir(strings.TrimSpace(string(out))), "test", "reference-helm")
}

// cache is where the program is, or will be: another go.sum is another directory.
func cache(t testing.TB, module string) string {
	t.Helper()
	hash := sha256.New()
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(module, name))
		if err != nil {
			t.Fatal(err)
		}
		hash.Write(content)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "syncd", "helm", hex.EncodeToString(hash.Sum(nil))[:12])
}

// build makes the program beside where it belongs, and moves it there whole: one that
// is cut off must not pass for built. Two at once build it once.
func build(t testing.TB, module, dir, file string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close() // frees it
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatalf("wait for another build of helm: %v", err)
	}
	if _, err := os.Stat(file); err == nil {
		return
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w", "-o", file+".new", source)
	cmd.Dir, cmd.Env = module, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build helm: %v\n%s", err, out)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}
