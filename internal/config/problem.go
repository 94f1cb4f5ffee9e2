package config

import (
	"fmt"
	"slices"
	"strings"

	"syncd.io/syncd/internal/fault"
)

// maxProblems bounds how many problems one error lists.
const maxProblems = 50

// problem is one thing that is wrong in a file. It never carries the value of a
// key that may hold a secret.
type problem struct {
	line int
	text string
	hint string
}

// problems collects what is wrong in one file, so that a person mends all of it
// at once and not one line per attempt.
type problems struct {
	file string
	list []problem
	more int // how many were found beyond the bound
}

func (p *problems) add(line int, hint, format string, args ...any) {
	if p.full() {
		p.more++
		return
	}
	p.list = append(p.list, problem{line: max(line, 1), text: fmt.Sprintf(format, args...), hint: hint})
}

// full tells that another problem would only be counted: a file that is nothing
// but mistakes is not worth the work of explaining each.
func (p *problems) full() bool { return len(p.list) >= maxProblems }

// err returns nil, or one rejected error with a line "FILE:LINE: what" per
// problem in line order. One problem's hint is the error's advice; of several,
// each stands in parentheses on its line.
func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	slices.SortStableFunc(p.list, func(a, b problem) int { return a.line - b.line })
	if len(p.list) == 1 {
		return rejected(p.list[0].hint, "%s", p.format(p.list[0], false))
	}
	var lines []string
	for _, one := range p.list {
		lines = append(lines, p.format(one, true))
	}
	if p.more > 0 {
		lines = append(lines, fmt.Sprintf("%s: and %d more", p.file, p.more))
	}
	return rejected("docs/configuration.md lists every key with its meaning", "%s", strings.Join(lines, "\n"))
}

func (p *problems) format(one problem, withHint bool) string {
	text := fmt.Sprintf("%s:%d: %s", p.file, one.line, one.text)
	if withHint && one.hint != "" {
		text += " (" + one.hint + ")"
	}
	return text
}

// rejected makes an error of the class Rejected; an empty hint adds none.
func rejected(hint, format string, args ...any) error {
	return classified(fault.Rejected, hint, format, args...)
}

// blocked makes an error of the class Blocked: a person on this host has to act,
// and no revision is to blame.
func blocked(hint, format string, args ...any) error {
	return classified(fault.Blocked, hint, format, args...)
}

func classified(class fault.Class, hint, format string, args ...any) error {
	err := fault.As(class, fmt.Errorf(format, args...))
	if hint == "" {
		return err
	}
	return fault.Hint(err, hint)
}

// faulty tells that something is wrong already: what depends on it cannot be judged.
func (p *problems) faulty() bool { return len(p.list) > 0 }
