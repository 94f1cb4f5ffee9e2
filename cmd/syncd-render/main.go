// Command syncd-render is the child of syncd that touches untrusted content: it
// fetches commits and renders apps, within limits and without the agent's
// environment. People have no use for it; syncd starts it.
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"runtime/debug"
	"syscall"

	"syncd.io/syncd/internal/sandbox"
	"syncd.io/syncd/internal/source/fetch"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "version" {
		fmt.Println(sandbox.Program, version())
		return
	}
	syscall.Umask(0o022)
	fetch.Prepare()
	os.Exit(sandbox.Serve(context.Background(), operations(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func operations() map[string]sandbox.Op {
	ops := map[string]sandbox.Op{
		"resolve": sandbox.Handle(fetch.Resolve),
		"fetch":   sandbox.Handle(fetch.Fetch),
	}
	maps.Copy(ops, rendering())
	return ops
}

// version is that of the module this was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(unknown)"
	}
	return info.Main.Version
}
