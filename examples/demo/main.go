// Command demo tells syncd's story on a terminal, in under two minutes, with a
// real Git repository and a real Docker engine, or a real Kubernetes cluster: a
// first deploy, a merged change, a broken one that is rolled back, and something
// that someone changes by hand. Every step is checked, and everything that was
// made is removed at the end, also after Ctrl-C.
package main

import (
	"context"
	"flag"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	var o options
	flag.StringVar(&o.syncd, "syncd", "bin/syncd", "the agent's program; syncd-render lies beside it")
	flag.StringVar(&o.root, "root", ".", "the project's directory, which holds examples/repo")
	flag.BoolVar(&o.kubernetes, "kubernetes", false, "tell the story on the cluster of make cluster, instead of an engine")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, o, newTerminal(os.Stdout, colours(os.Stdout)))
	interrupted := ctx.Err() != nil
	stop()
	switch {
	case interrupted:
		os.Exit(130)
	case err != nil:
		os.Exit(1)
	}
}
