package kube_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// sideBySide is how many tests run at once: they wait more than they work.
const sideBySide = "8"

// programs is where the tests' binaries are built, once.
var programs string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "syncdtest-programs-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	programs = dir
	if err := flag.Set("test.parallel", sideBySide); err != nil { // what the command line says comes later, and wins
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, "clean up:", err)
		code = 1
	}
	os.Exit(code)
}

// buildRenderer and buildAgent compile the programs, once for all tests.
var (
	buildRenderer = sync.OnceValue(func() error { return build("syncd-render") })
	buildAgent    = sync.OnceValue(func() error { return build("syncd") })
)

func build(name string) error {
	cmd := exec.Command("go", "build", "-o", programs+"/", "syncd.io/syncd/cmd/"+name)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
	return nil
}

// renderer returns the path of the child that fetches and renders.
func renderer(t testing.TB) string {
	t.Helper()
	if err := buildRenderer(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(programs, "syncd-render")
}

// agentProgram returns the path of syncd, with its child beside it.
func agentProgram(t testing.TB) string {
	t.Helper()
	renderer(t)
	if err := buildAgent(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(programs, "syncd")
}
