// Command syncd-render is the child of syncd that touches untrusted content: it
// fetches commits and charts and renders apps, within limits and without the agent's
// environment. People have no use for it; syncd starts it.
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"syncd.io/syncd/internal/notify"
	"syncd.io/syncd/internal/notify/wording"
	"syncd.io/syncd/internal/sandbox"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/source/chart"
	"syncd.io/syncd/internal/source/chart/pull"
	"syncd.io/syncd/internal/source/fetch"
)

// version is set by the linker, which can set a variable only:
// -X main.version=v1.2.3. Nothing changes it afterwards.
var version string

func main() {
	if len(os.Args) == 2 && os.Args[1] == "version" {
		fmt.Println(sandbox.Program, thisVersion())
		return
	}
	syscall.Umask(0o022)
	time.Local = time.UTC // a template's times are the same on every machine
	fetch.Prepare()
	os.Exit(sandbox.Serve(context.Background(), operations(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func operations() map[string]sandbox.Op {
	ops := map[string]sandbox.Op{
		"resolve":       sandbox.Handle(fetch.Resolve),
		"fetch":         sandbox.Handle(fetch.Fetch),
		"history":       sandbox.Handle(fetch.History),
		"introduce":     sandbox.Handle(fetch.Introduce),
		chart.Op:        sandbox.Handle(pull.Fetch),
		source.ImportOp: sandbox.Handle(fetch.Import),
		source.BundleOp: sandbox.Handle(fetch.Bundle),
		"tags":          sandbox.Handle(fetch.Tags),
	}
	ops[notify.DraftOp] = sandbox.Handle(word)
	maps.Copy(ops, rendering())
	return ops
}

// word makes the texts of what people are told.
func word(_ context.Context, d notify.Draft) ([]string, error) {
	return wording.Texts(d.Template, d.About)
}

// thisVersion is the linker's, else that of the module this was built from.
func thisVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(unknown)"
	}
	return info.Main.Version
}
