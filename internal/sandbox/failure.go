package sandbox

import (
	"errors"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// Failure is how the child says no: exit status 1 with this as its output.
type Failure struct {
	// Class is a fault class's name.
	Class string `json:"class"`
	Error string `json:"error"`
	Hint  string `json:"hint,omitempty"`
	// After is for how long who was asked wants to be left alone.
	After time.Duration `json:"after,omitempty"`
}

// reply is one line of an operation that gives several answers: an answer, or why
// there is none.
type reply[Out any] struct {
	Answer  *Out     `json:"answer,omitempty"`
	Failure *Failure `json:"failure,omitempty"`
}

// failureText bounds texts that came from the child, in bytes.
const failureText = 4 << 10

// newFailure puts err on the wire.
func newFailure(err error) Failure {
	return Failure{Class: fault.Of(err).String(), Error: err.Error(), Hint: fault.Advice(err), After: fault.After(err)}
}

// fault is the error on this side of the border. The texts are made harmless:
// they may quote what the repository holds. Of several problems each keeps its
// line.
func (f Failure) fault() error {
	err := fault.As(class(f.Class), errors.New(resource.HarmlessLines(f.Error, failureText)))
	if f.Hint != "" {
		err = fault.Hint(err, resource.Harmless(f.Hint, failureText))
	}
	return fault.Later(err, f.After)
}

// class is the inverse of fault.Class.String.
func class(name string) fault.Class {
	for _, c := range []fault.Class{fault.Unreachable, fault.Rejected, fault.Unhealthy, fault.Blocked} {
		if c.String() == name {
			return c
		}
	}
	return fault.Unknown
}
