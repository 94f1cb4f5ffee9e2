// Command child is the part of syncd-render that package source needs, without
// the renderers: its tests build it once.
package main

import (
	"context"
	"os"
	"syscall"

	"syncd.io/syncd/internal/sandbox"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/source/fetch"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "version" {
		return
	}
	syscall.Umask(0o022)
	fetch.Prepare()
	ops := map[string]sandbox.Op{
		"resolve": sandbox.Handle(fetch.Resolve), "fetch": sandbox.Handle(fetch.Fetch),
		"history": sandbox.Handle(fetch.History), "introduce": sandbox.Handle(fetch.Introduce),
		source.ImportOp: sandbox.Handle(fetch.Import),
		source.BundleOp: sandbox.Handle(fetch.Bundle),
	}
	os.Exit(sandbox.Serve(context.Background(), ops, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
