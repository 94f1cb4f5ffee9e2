package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

// terminal is where the story is told. The narrator and the agent's output both
// write to it, a whole line at a time.
type terminal struct {
	mu     sync.Mutex
	out    io.Writer
	colour bool
}

func newTerminal(out io.Writer, colour bool) *terminal { return &terminal{out: out, colour: colour} }

// colours tells whether f is a terminal whose user did not say no to colours
// (https://no-color.org).
func colours(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == ""
}

// The marks of a line, as terminals know them.
const (
	bold  = "1"
	dim   = "2"
	red   = "31"
	green = "32"
)

func (t *terminal) line(style, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.colour && style != "" {
		text = "\x1b[" + style + "m" + text + "\x1b[0m"
	}
	fmt.Fprintln(t.out, text)
}

// chapter begins a part of the story.
func (t *terminal) chapter(number int, title string) {
	t.line("", "")
	t.line(bold, fmt.Sprintf("%d  %s", number, title))
}

// say tells what happens next.
func (t *terminal) say(format string, args ...any) { t.line("", "   "+fmt.Sprintf(format, args...)) }

// did reports a step that was checked.
func (t *terminal) did(format string, args ...any) {
	t.line(green, "   ✓ "+fmt.Sprintf(format, args...))
}

// failed reports the step that ended the story.
func (t *terminal) failed(err error) { t.line(red, "   ✗ "+err.Error()) }

// command shows what a user would type, and show what that answered.
func (t *terminal) command(words ...string) { t.line(bold, "   $ "+strings.Join(words, " ")) }

func (t *terminal) show(output string) {
	for line := range strings.Lines(strings.Trim(output, "\n")) {
		t.line("", "     "+strings.TrimRight(line, "\n"))
	}
}

// agent passes on one line of the agent's own.
func (t *terminal) agent(line string) { t.line(dim, "   syncd │ "+short(line)) }
