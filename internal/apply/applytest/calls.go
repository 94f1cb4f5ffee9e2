package applytest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// Call is one call of a method.
type Call struct {
	// Number counts the calls that change something (put, stop, remove) from 1;
	// 0 is one that only looks.
	Number int
	// Verb is put, stop, remove, observe, health, logs, pin, validate or tell.
	Verb string
	Key  resource.Key
	Ref  resource.Ref
	// Err is what the call returned.
	Err error
	At  time.Time
}

// String returns the call as "put container/web/1 i3", with its error.
func (c Call) String() string {
	line := strings.TrimRight(fmt.Sprintf("%s %s %s", c.Verb, c.Key, c.Ref.ID), " /")
	if c.Err != nil {
		line += ": " + c.Err.Error()
	}
	return line
}

type span struct{ from, to time.Time }

// script is what a test wants of one call.
type script struct {
	err   error
	after bool // the call has its effect first
}

// FailAt lets the changing call of this number (from 1, see Call.Number) fail
// with err, without an effect.
func (m *Memory) FailAt(call int, err error) { m.script(call, script{err: err}) }

// LoseAnswerAt lets the changing call of this number have its effect and fail
// with err all the same.
func (m *Memory) LoseAnswerAt(call int, err error) { m.script(call, script{err: err, after: true}) }

func (m *Memory) script(call int, s script) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.scripted[call] = s
}

// Unreachable lets every call between the two times fail, as an engine does
// that does not answer.
func (m *Memory) Unreachable(from, to time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.away = append(m.away, span{from, to})
}

// OnCall sets a hook that sees every call before it has its effect; an error
// from it is the call's. It may cancel the caller's context: a crash. Nil
// removes it.
func (m *Memory) OnCall(hook func(Call) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hook = hook
}

// Calls returns the calls so far, in order.
func (m *Memory) Calls() []Call {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.calls)
}

// Changes counts the calls so far that change something.
func (m *Memory) Changes() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changes
}

// Count counts the calls so far with this verb.
func (m *Memory) Count(verb string) int {
	n := 0
	for _, c := range m.Calls() {
		if c.Verb == verb {
			n++
		}
	}
	return n
}

// Log returns the changing calls so far, one a line.
func (m *Memory) Log() string {
	var lines []string
	for _, c := range m.Calls() {
		if c.Number > 0 {
			lines = append(lines, c.String())
		}
	}
	return strings.Join(lines, "\n")
}

// Forget empties the list of calls and counts them from 1 again.
func (m *Memory) Forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls, m.changes, m.scripted, m.broken = nil, 0, map[int]script{}, nil
}

// look does what changes nothing.
func (m *Memory) look(ctx context.Context, c Call, do func()) error {
	err := m.admit(ctx, c)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil {
		do()
	}
	m.book(c, err)
	return err
}

// change does what changes something, as the test's script says.
func (m *Memory) change(ctx context.Context, c Call, do func(*Call) error) error {
	m.mu.Lock()
	m.changes++
	c.Number = m.changes
	s := m.scripted[c.Number]
	m.mu.Unlock()
	err := m.admit(ctx, c)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil && s.err != nil && !s.after {
		err = s.err
	}
	if err == nil {
		err = do(&c)
	}
	if err == nil {
		err = s.err
	}
	m.book(c, err)
	return err
}

// admit asks the hook and looks whether anybody answers.
func (m *Memory) admit(ctx context.Context, c Call) error {
	m.mu.Lock()
	hook := m.hook
	now := time.Now()
	gone := slices.ContainsFunc(m.away, func(s span) bool { return !now.Before(s.from) && now.Before(s.to) })
	m.mu.Unlock()
	if hook != nil {
		if err := hook(c); err != nil {
			return err
		}
	}
	if gone {
		return fault.As(fault.Unreachable, fmt.Errorf("%s: the target does not answer", c))
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", c, err)
	}
	return nil
}

func (m *Memory) book(c Call, err error) {
	c.Err, c.At = err, time.Now()
	m.calls = append(m.calls, c)
	m.sample()
}
