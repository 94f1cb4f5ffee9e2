package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"syncd.io/syncd/cmd/syncd/internal/show"
	"syncd.io/syncd/internal/fault"
)

// cli is one run of the program: its streams and its flags.
type cli struct {
	in       io.Reader
	out, err io.Writer
	flags    flags
}

func newCLI(in io.Reader, out, err io.Writer) *cli { return &cli{in: in, out: out, err: err} }

// exitCode ends the program with a status and without a message: what there is
// to say has been printed.
type exitCode int

// Error is never shown.
func (e exitCode) Error() string { return "the outcome is in the exit code" }

// exit returns nil for 0.
func exit(code int) error {
	if code == 0 {
		return nil
	}
	return exitCode(code)
}

// execute runs the verb that args name and returns the exit code.
func (c *cli) execute(ctx context.Context, args []string) int {
	root := c.root()
	root.SetArgs(args)
	root.SetIn(c.in)
	root.SetOut(c.out)
	root.SetErr(c.err)
	err := root.ExecuteContext(ctx)
	var code exitCode
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	}
	io.WriteString(c.err, c.problem(err)) //nolint:errcheck // the terminal is gone; the exit code tells
	return 1
}

// problem is an error as the output format has it: one line of JSON, or text.
func (c *cli) problem(err error) string {
	if c.flags.output == asJSON {
		said := map[string]string{"error": err.Error(), "hint": fault.Advice(err), "class": fault.Of(err).String()}
		if raw, err := json.Marshal(said); err == nil { // texts always encode
			return string(raw) + "\n"
		}
	}
	return c.styleOf(c.err).Problem(err)
}

// style is how text on standard output is drawn.
func (c *cli) style() show.Style { return c.styleOf(c.out) }

// styleOf uses colours on a terminal, unless NO_COLOR asks for none
// (no-color.org).
func (c *cli) styleOf(w io.Writer) show.Style {
	s := show.Style{Now: time.Now(), Zone: time.Local}
	if fd, ok := terminal(w); ok {
		s.Colour = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
		if width, _, err := term.GetSize(fd); err == nil {
			s.Width = width
		}
	}
	return s
}

// terminal returns the descriptor of a stream that is one.
func terminal(stream any) (int, bool) {
	f, ok := stream.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	return int(f.Fd()), true
}
