// Package show turns what the agent says into text for people: tables, plans,
// live progress, and the comment of a merge request. Whatever comes from outside
// (subjects, reasons, logs) is made harmless here, before it meets a terminal.
package show

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"syncd.io/syncd/internal/resource"
)

// Style says how text is drawn.
type Style struct {
	// Colour uses ANSI colours.
	Colour bool
	// Now is what ages are measured from.
	Now time.Time
	// Zone is where times are shown; nil is UTC.
	Zone *time.Location
	// Width is the terminal's, in columns, for what is redrawn; 0 is unbounded.
	Width int
}

// Bounds of what came from outside, in bytes.
const (
	wordBound = 120
	lineBound = 600
)

// word is a short text from outside: a name, a subject.
func word(s string) string { return resource.Harmless(s, wordBound) }

// sentence is one line from outside.
func sentence(s string) string { return resource.Harmless(s, lineBound) }

// block is text of several lines from outside, each of them harmless, with
// indent before every line. It ends without a newline.
func block(s, indent string) string {
	lines := strings.Split(strings.TrimRight(s, "\r\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(indent+visible(l), " ")
	}
	return strings.Join(lines, "\n")
}

// visible is a line that keeps its indentation: output of programs is drawn so.
func visible(l string) string {
	rest := strings.TrimLeft(l, " \t")
	return strings.ReplaceAll(l[:len(l)-len(rest)], "\t", "    ") + resource.Harmless(rest, lineBound)
}

// colour is an ANSI colour.
type colour string

const (
	plain  colour = ""
	green  colour = "32"
	yellow colour = "33"
	red    colour = "31"
	faint  colour = "2"
	bold   colour = "1"
)

// paint colours text.
func (s Style) paint(c colour, text string) string {
	if !s.Colour || c == plain || text == "" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

func (s Style) zone() *time.Location {
	if s.Zone == nil {
		return time.UTC
	}
	return s.Zone
}

// moment is a time as people read it.
func (s Style) moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(s.zone()).Format("2006-01-02 15:04:05")
}

// age is how long ago t was, in its largest unit.
func (s Style) age(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	d := s.Now.Sub(t)
	switch {
	case d < 0:
		return "0s"
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	default:
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	}
}

// seconds is a duration as a rollout knows it: 0.3 s, 12 s, 2m5s.
func seconds(d time.Duration) string {
	switch {
	case d < 10*time.Second && d%time.Second != 0:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	default:
		return d.Round(time.Second).String()
	}
}

// size is an amount of memory.
func size(n int64) string {
	if n >= 1<<30 {
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	}
	return fmt.Sprintf("%d MiB", (n+1<<19)>>20)
}

// count is a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func columns(s string) int { return utf8.RuneCountInString(s) }
