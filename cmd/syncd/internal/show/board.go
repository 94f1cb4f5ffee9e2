package show

import (
	"strings"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/reconcile"
)

// maxBoard bounds what is redrawn, in lines: less than any terminal's height.
const maxBoard = 20

// Board is the state of every app and service of a running request, as a few
// lines that are redrawn. It is not safe for concurrent use.
type Board struct {
	style Style
	apps  []*appLines
	// note is what no app is named for: a pull. The next step takes it away.
	note string
}

// NewBoard returns an empty board.
func NewBoard(s Style) *Board { return &Board{style: s} }

type appLines struct {
	name     string
	phase    string
	tone     colour
	services []*serviceLine
}

type serviceLine struct {
	name, text string
	tone       colour
}

// Hear takes an event in.
func (b *Board) Hear(e reconcile.Event) {
	if e.App == "" {
		b.note = e.Text
		return
	}
	app := b.app(e.App)
	switch {
	case e.Result != nil:
		app.phase, app.tone, app.services = string(e.Result.Outcome), toneOf(e.Result.Outcome), nil
	case e.Step != nil:
		b.note = ""
		if text, tone := doing(*e.Step); text != "" {
			app.set(e.Step.Step, text, tone)
		}
	case e.Text != "":
		app.phase, app.tone = sentence(e.Text), faint
	}
}

func (b *Board) app(name string) *appLines {
	for _, a := range b.apps {
		if a.name == name {
			return a
		}
	}
	a := &appLines{name: name}
	b.apps = append(b.apps, a)
	return a
}

// set says where a step is. That the old instance is cleared away says nothing
// about the service, which the new one has.
func (a *appLines) set(step apply.Step, text string, tone colour) {
	service := subject(step.Key)
	for _, s := range a.services {
		if s.name == service {
			if step.Verb == apply.Remove && tone != red {
				return
			}
			s.text, s.tone = text, tone
			return
		}
	}
	a.services = append(a.services, &serviceLine{service, text, tone})
}

// Lines draws the board: each line fits into the width, and there are never more
// than a terminal shows. Where there are more, the newest stay.
func (b *Board) Lines() []string {
	var out []string
	for _, a := range b.apps {
		out = append(out, b.line(word(a.name), a.phase, a.tone, bold))
		width := 0
		for _, s := range a.services {
			width = max(width, columns(word(s.name)))
		}
		for _, s := range a.services {
			name := word(s.name)
			out = append(out, b.line("  "+name+strings.Repeat(" ", width-columns(name)), s.text, s.tone, plain))
		}
	}
	if b.note != "" {
		out = append(out, b.line(sentence(b.note), "", plain, faint))
	}
	return out[max(0, len(out)-maxBoard):]
}

// line cuts first and paints then, so that no colour is cut in two.
func (b *Board) line(head, text string, tone, headTone colour) string {
	if w := b.style.Width; w > 0 {
		head = cutTo(head, w-1)
		text = cutTo(text, w-1-columns(head)-2)
	}
	if text == "" {
		return b.style.paint(headTone, head)
	}
	return b.style.paint(headTone, head) + "  " + b.style.paint(tone, text)
}

// cutTo keeps the first n characters.
func cutTo(s string, n int) string {
	if columns(s) <= n {
		return s
	}
	if n < 1 {
		return ""
	}
	return string([]rune(s)[:n-1]) + "…"
}
