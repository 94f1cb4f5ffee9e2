package sandbox

import (
	"fmt"
	"time"

	"syncd.io/syncd/internal/fault"
)

// Limits bound one call.
type Limits struct {
	// Time is the wall clock after which the child is killed; it must be set.
	Time time.Duration
	// TimeoutClass is what a call is that ran out of time or crashed: Unreachable
	// where a network may be to blame, Rejected where the input is. A child that
	// waited rather than computed is Unreachable in any case.
	TimeoutClass fault.Class
	// Memory is what the child may allocate, in bytes; it must be set.
	Memory int64
	// Output is how long the answer may be, in bytes; it must be set.
	Output int64
	// Network leaves the network to the child.
	Network bool
	// TimeKey, MemoryKey and OutputKey name the settings behind the limits
	// (limits.fetchTime), for hints; empty where a user cannot set it.
	TimeKey, MemoryKey, OutputKey string
}

func (l Limits) validate() error {
	if l.Time <= 0 || l.Memory <= 0 || l.Output <= 0 {
		return fmt.Errorf("start %s: every call needs limits: time %v, memory %d, output %d", Program, l.Time, l.Memory, l.Output)
	}
	return nil
}

// busy is the part of its time, as a divisor, that a child must have computed for
// its input to be to blame: on a machine that is overloaded or was suspended it
// gets less, and honest input needs far less.
const busy = 10

// tooSlow is the error of a child that was killed at its deadline, having used
// cpu of processor time.
func (l Limits) tooSlow(op string, cpu time.Duration) error {
	if l.TimeoutClass == fault.Rejected && cpu < l.Time/busy {
		err := fmt.Errorf("%s took longer than %v and was ended, having computed for only %v", op, l.Time, cpu.Round(time.Millisecond))
		return fault.Hint(fault.As(fault.Unreachable, err), "the machine may be overloaded, or its disk not answer: see what it is busy with (top, iostat); it is tried again")
	}
	err := fault.As(l.TimeoutClass, fmt.Errorf("%s took longer than %v and was ended", op, l.Time))
	return raise(err, l.TimeKey)
}

// tooLong is the error of an answer over its limit.
func (l Limits) tooLong(op string) error {
	err := fault.As(fault.Rejected, fmt.Errorf("the answer of %s is longer than %d bytes", op, l.Output))
	return raise(err, l.OutputKey)
}

// garbled is the error of an answer that cannot be read.
func (l Limits) garbled(op string, err error) error {
	return fault.As(l.TimeoutClass, fmt.Errorf("decode the answer of %s: %w", op, err))
}

// tooBig is the error of a child that ran into its memory limit.
func (l Limits) tooBig(op string) error {
	err := fault.As(fault.Rejected, fmt.Errorf("%s needs more than %d MiB of memory", op, l.Memory>>20))
	return raise(err, l.MemoryKey)
}

func raise(err error, key string) error {
	if key == "" {
		return err
	}
	return fault.Hint(err, "if the content is meant to be like that, raise "+key+" in syncd.yaml")
}
