// Command cluster keeps the machine's shared test cluster: up, down, status, or
// kubeconfig, which prints a path. hack/cluster.sh installs what it needs first.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/kubetest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		if hint := fault.Advice(err); hint != "" {
			fmt.Fprintln(os.Stderr, "hint:", hint)
		}
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("say one of up, down, status, kubeconfig")
	}
	switch args[0] {
	case "up":
		return kubetest.Up(ctx, say)
	case "down":
		return kubetest.Down(ctx)
	case "status":
		access, err := kubetest.Open(ctx)
		if err != nil {
			return fault.Hint(err, "make cluster starts it, or starts it anew")
		}
		fmt.Fprintf(os.Stdout, "the cluster answers at %s; KUBECONFIG=%s\n", access.URL(), access.Kubeconfig())
		return nil
	case "kubeconfig":
		fmt.Fprintln(os.Stdout, filepath.Join(kubetest.SharedDir, "kubeconfig"))
		return nil
	default:
		return fmt.Errorf("no such word %q; say one of up, down, status, kubeconfig", args[0])
	}
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
