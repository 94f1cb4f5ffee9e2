// Command syncd keeps a Docker host equal to a Git repository, shows every
// difference, and puts the last healthy revision back when a change fails. Here
// are its verbs: flags, signals and wiring; the work is done in internal.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(start()) }

// start runs one verb to its end. The first signal ends it in order; the second
// ends the program.
func start() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return newCLI(os.Stdin, os.Stdout, os.Stderr).execute(ctx, os.Args[1:])
}
