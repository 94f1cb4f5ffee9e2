// Package reference builds the programs that tests compare the renderers with, of the
// versions that the renderers' libraries have. Their modules are in test.
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

// Tool is a program that is built from a module of its own.
type Tool struct {
	// Name is what the program is called, Module its module's directory in test, and
	// Package what is built of it.
	Name, Module, Package string
}

// Program returns the tool's file. It is built once, in a minute or two, into the
// user's cache; where it is not there yet, a short test is skipped.
func (tool Tool) Program(t testing.TB) string {
	t.Helper()
	module := tool.module(t)
	dir := tool.cache(t, module)
	file := filepath.Join(dir, tool.Name)
	if _, err := os.Stat(file); err == nil {
		return file
	}
	if testing.Short() {
		t.Skipf("needs the program %s, which takes a minute or two to build", tool.Name)
	}
	tool.build(t, module, dir, file)
	return file
}

// module is the directory of the module that pins the program.
func (tool Tool) module(t testing.TB) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOMOD").Output()
	if err != nil {
		t.Fatalf("ask go for the module's directory: %v", err)
	}
	return filepath.Join(filepath.Dir(strings.TrimSpace(string(out))), "test", tool.Module)
}

// cache is where the program is, or will be: another go.sum is another directory.
func (tool Tool) cache(t testing.TB, module string) string {
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
	return filepath.Join(dir, "syncd", tool.Name, hex.EncodeToString(hash.Sum(nil))[:12])
}

// build makes the program beside where it belongs, and moves it there whole: one that
// is cut off must not pass for built. Two at once build it once.
func (tool Tool) build(t testing.TB, module, dir, file string) {
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
		t.Fatalf("wait for another build of %s: %v", tool.Name, err)
	}
	if _, err := os.Stat(file); err == nil {
		return
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w", "-o", file+".new", tool.Package)
	cmd.Dir, cmd.Env = module, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", tool.Name, err, out)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}
