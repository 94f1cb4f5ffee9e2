// Command child is the part of syncd-render that package source needs, without
// the renderers: its tests build it once.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
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
		"tags":          sandbox.Handle(fetch.Tags),
	}
	status := sandbox.Serve(context.Background(), ops, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	if _, err := os.Stat(os.Args[0] + ".peak"); err == nil {
		if err := peak(os.Args[0] + ".peak"); err != nil {
			panic(err)
		}
	}
	os.Exit(status)
}

// peak notes how much memory this process had at most, in KiB, and how many
// microseconds it computed, for benchmarks. Of memory its rusage would count what the
// parent had as it was forked.
func peak(path string) error {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	line, _, _ := strings.Cut(rest, " kB")
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return err
	}
	cpu := (usage.Utime.Nano() + usage.Stime.Nano()) / 1000
	return os.WriteFile(path, fmt.Appendf(nil, "%s %d", strings.TrimSpace(line), cpu), 0o600)
}
