// Command app is the small program that the examples run, in a scratch image of
// its own: a web server, a worker, a one-shot migration, a key-value database,
// and a probe for health checks in an image that holds nothing else.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

const usage = `usage: app web|worker|migrate|db|drain|probe URL

web      answers on APP_LISTEN (default :8080): / and /healthz
worker   counts in the database APP_DB every APP_INTERVAL (default 1s)
migrate  brings the database APP_DB to schema APP_SCHEMA once, and leaves a
         marker in APP_DATA
db       a key-value server on APP_LISTEN (default :5000), data in APP_DATA
drain    has the web server that is process 1 say on /healthz that it leaves; it
         goes on answering
probe    exits 0 when http://... answers 200, or tcp://... accepts`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], fromEnv(os.Getenv), os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// run carries out one mode until it is done or ctx ends; an ended ctx is success.
func run(ctx context.Context, args []string, s settings, out io.Writer) error {
	mode := "web"
	if len(args) > 0 {
		mode = args[0]
	}
	switch {
	case mode == "web":
		return serveWeb(ctx, s, out)
	case mode == "worker":
		return work(ctx, s, out)
	case mode == "migrate":
		return migrate(ctx, s, out)
	case mode == "db":
		return serveStore(ctx, s, out)
	case mode == "drain":
		return drain(1)
	case mode == "probe" && len(args) == 2:
		return probe(ctx, args[1])
	}
	return fmt.Errorf("unknown mode %q\n%s", args, usage)
}
