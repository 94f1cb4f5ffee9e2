package schedule

import (
	"fmt"
	"slices"
	"time"
)

// State is what windows say of one moment.
type State struct {
	// Open tells whether changes may be made, Heal whether drift may be repaired.
	Open, Heal bool
	// Until is when Open turns into its opposite; zero is not for months, if ever.
	Until time.Time
	// Which names the window that decides; empty where none lasts.
	Which string
}

// Bounds of how far ahead a turn is looked for.
const (
	farAhead  = 2 * 366 * 24 * time.Hour
	manyTurns = 400
)

// Judge says whether changes may be made at now. Each level's windows are judged
// by themselves, and every level has to be open: what is denied is not allowed, and
// a level that has allow windows is closed outside of all of them.
func Judge(now time.Time, levels ...[]Window) State {
	s := at(now, levels)
	for t, n := now, 0; n < manyTurns; n++ {
		t = nextTurn(t, levels)
		if t.IsZero() || t.Sub(now) > farAhead {
			break
		}
		if at(t, levels).Open != s.Open {
			s.Until = t
			break
		}
	}
	return s
}

// nextTurn is when the first of the windows turns after t; zero where none does.
func nextTurn(t time.Time, levels [][]Window) time.Time {
	var first time.Time
	for _, level := range levels {
		for _, w := range level {
			if turn := w.turns(t); !turn.IsZero() && (first.IsZero() || turn.Before(first)) {
				first = turn
			}
		}
	}
	return first
}

// at is the state at t, without its end: the first level that is closed decides, and
// what any of them holds back is not repaired.
func at(t time.Time, levels [][]Window) State {
	s := State{Open: true, Heal: true}
	for _, windows := range levels {
		one := level(windows).at(t)
		switch {
		case s.Open && (!one.Open || s.Which == ""):
			one.Heal = one.Heal && s.Heal
			s = one
		default:
			s.Heal = s.Heal && one.Heal
		}
	}
	return s
}

// level are windows that are judged together.
type level []Window

func (l level) at(t time.Time) State {
	denies := l.pick(func(w Window) bool { return !w.Allow && w.lasts(t) })
	allows := l.pick(func(w Window) bool { return w.Allow && w.lasts(t) })
	missed := l.pick(func(w Window) bool { return w.Allow && len(allows) == 0 })
	s := State{Open: len(denies)+len(missed) == 0, Heal: true}
	switch {
	case len(denies) > 0:
		s.Which = denies.String()
	case len(missed) > 0:
		s.Which = "outside of " + missed.String()
	case len(allows) > 0:
		s.Which = allows.String()
	}
	for _, w := range slices.Concat(denies, missed) {
		s.Heal = s.Heal && w.Heal
	}
	return s
}

// pick returns those windows of which something is true.
func (l level) pick(is func(Window) bool) level {
	var out level
	for _, w := range l {
		if is(w) {
			out = append(out, w)
		}
	}
	return out
}

// String names the first, and counts the others.
func (l level) String() string {
	text := l[0].String()
	if n := len(l) - 1; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}
