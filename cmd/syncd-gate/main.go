// Command syncd-gate is the proxy that owns one published port of a service on
// plain Docker. It runs alone in a container; syncd makes that, and tells it by
// "syncd-gate table" which containers serve and which drain.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"syncd.io/syncd/internal/fault"
)

// version is set by the linker, which can set a variable only:
// -X main.version=v1.2.3. Nothing changes it afterwards.
var version string

const usage = `syncd-gate owns one published port; syncd starts it and tells it what to do.

  syncd-gate serve     carry connections until SIGTERM, then drain
  syncd-gate table     hand over the table on stdin (empty: only ask), print the answer
  syncd-gate version   say which one this is

  -dir DIR             where table and control socket lie (default /gate)
  -listen ADDR:PORT    serve: listen there, not on the edge network's address
  -wait DURATION       table: answer when nothing is in flight at those who leave
                       and the port is as it should be, at the latest after that
`

// program is one run: its streams.
type program struct {
	in       io.Reader
	out, err io.Writer
}

func main() { os.Exit(start()) }

func start() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // the second signal ends it at once
	p := program{os.Stdin, os.Stdout, os.Stderr}
	err := p.run(ctx, os.Args[1:])
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	fmt.Fprintln(p.err, "error:", oneLine(err.Error()))
	if hint := fault.Advice(err); hint != "" {
		fmt.Fprintln(p.err, "hint:", oneLine(hint))
	}
	return 1
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// settings are what the flags say.
type settings struct {
	dir, listen string
	wait        time.Duration
}

func (p program) run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return misuse(errors.New("what to do is missing"))
	}
	s, err := p.flags(args)
	if err != nil {
		return err
	}
	switch args[0] {
	case "serve":
		return p.serve(ctx, s)
	case "table":
		return p.table(ctx, s)
	case "version":
		_, err := fmt.Fprintln(p.out, "syncd-gate", thisVersion())
		return err
	case "help":
		_, err := io.WriteString(p.out, usage)
		return err
	}
	return misuse(fmt.Errorf("%q is not known", args[0]))
}

func (p program) flags(args []string) (settings, error) {
	var s settings
	f := flag.NewFlagSet("syncd-gate", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&s.dir, "dir", "/gate", "")
	f.StringVar(&s.listen, "listen", "", "")
	f.DurationVar(&s.wait, "wait", 0, "")
	f.Usage = func() {}
	err := f.Parse(args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(p.out, usage)
		return s, err
	case err != nil:
		return s, misuse(err)
	case f.NArg() > 0:
		return s, misuse(fmt.Errorf("%q is too much", f.Arg(0)))
	}
	return s, nil
}

func misuse(err error) error { return fault.Hint(err, "syncd-gate help lists what there is") }

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
