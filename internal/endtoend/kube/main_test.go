package kube_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"syncd.io/syncd/internal/endtoend/programs"
)

// sideBySide is how many tests run at once: they wait more than they work.
const sideBySide = "8"

// built are the programs that the tests run.
var built *programs.Programs

func TestMain(m *testing.M) {
	var err error
	if built, err = programs.New(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := flag.Set("test.parallel", sideBySide); err != nil { // what the command line says comes later, and wins
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	beside := listenAside()
	code := m.Run()
	if !beside.silent() {
		code = 1
	}
	if err := built.Remove(); err != nil {
		fmt.Fprintln(os.Stderr, "clean up:", err)
		code = 1
	}
	os.Exit(code)
}

// renderer returns the path of the child that fetches and renders.
func renderer(t testing.TB) string {
	t.Helper()
	return program(t, "syncd-render")
}

// agentProgram returns the path of syncd, with its child beside it.
func agentProgram(t testing.TB) string {
	t.Helper()
	return program(t, "syncd-render", "syncd")
}

func program(t testing.TB, names ...string) string {
	t.Helper()
	path, err := built.Path(t.Context(), names...)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
