package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"syncd.io/syncd/cmd/syncd/internal/show"
	"syncd.io/syncd/internal/reconcile"
)

// watch returns what listens to a request: lines that are redrawn on a terminal,
// plain lines elsewhere, nothing beside JSON. end removes what is redrawn.
func (c *cli) watch() (hear func(reconcile.Event), end func()) {
	if c.flags.output == asJSON {
		return nil, func() {}
	}
	if _, ok := terminal(c.err); !ok || os.Getenv("TERM") == "dumb" {
		p := &lines{out: c.err}
		return p.hear, func() {}
	}
	l := &live{out: c.err, board: show.NewBoard(c.styleOf(c.err))}
	return l.hear, l.end
}

// lines prints events one after the other, without the ends of passes: the verb
// prints these itself.
type lines struct {
	mu  sync.Mutex
	out io.Writer
}

func (l *lines) hear(e reconcile.Event) {
	text := show.EventLine(e)
	if text == "" || e.Result != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintln(l.out, text)
}

// live redraws a board in place.
type live struct {
	mu    sync.Mutex
	out   io.Writer
	board *show.Board
	drawn string
}

func (l *live) hear(e reconcile.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.board.Hear(e)
	text := strings.Join(l.board.Lines(), "\n")
	if text == l.drawn {
		return
	}
	fmt.Fprint(l.out, erase(l.drawn)+text+"\n")
	l.drawn = text
}

func (l *live) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprint(l.out, erase(l.drawn))
	l.drawn = ""
}

// erase goes back to the first of the lines that were drawn, and clears the
// screen from there.
func erase(drawn string) string {
	if drawn == "" {
		return ""
	}
	return fmt.Sprintf("\x1b[%dA\r\x1b[J", strings.Count(drawn, "\n")+1)
}
