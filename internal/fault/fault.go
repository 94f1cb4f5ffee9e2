// Package fault classifies errors. Who meets an error says what kind of
// trouble it is; who called decides what to do about it.
//
// The three classes of a failed change are never mixed up: an unreachable
// engine is no reason to roll back, a rejected object is no reason to retry,
// and an unhealthy one is a reason for both quarantine and rollback.
package fault

import "errors"

// Class says what kind of trouble an error is.
type Class int

// The classes, from "nobody said" to "a person has to act".
const (
	// Unknown is the class of an error that nobody classified.
	Unknown Class = iota
	// Unreachable: engine, API, registry or Git did not answer. Retry with
	// backoff; nothing is quarantined, nothing rolled back.
	Unreachable
	// Rejected: the input is invalid or not allowed. Quarantine, undo the pass.
	Rejected
	// Unhealthy: it was applied and did not become or stay healthy.
	// Quarantine, roll back.
	Unhealthy
	// Blocked: a dependency, a window or a person's consent is missing.
	Blocked
)

// String names the class in one lower-case word.
func (c Class) String() string {
	switch c {
	case Unreachable:
		return "unreachable"
	case Rejected:
		return "rejected"
	case Unhealthy:
		return "unhealthy"
	case Blocked:
		return "blocked"
	default:
		return "unknown"
	}
}

// fault is an error with its class and, where there is one, a hint.
type fault struct {
	class  Class
	advice string
	err    error
}

// Error returns the wrapped error's text; class and hint are not part of it.
func (f *fault) Error() string { return f.err.Error() }

// Unwrap returns the classified error.
func (f *fault) Unwrap() error { return f.err }

// As classifies err. A nil err stays nil.
func As(class Class, err error) error {
	if err == nil {
		return nil
	}
	return &fault{class: class, err: err}
}

// Hint adds advice to err and keeps its class: what the user can do about it, as
// one sentence without a newline. A nil err stays nil.
func Hint(err error, advice string) error {
	if err == nil {
		return nil
	}
	return &fault{class: Of(err), advice: advice, err: err}
}

// Of returns the class of err: that of the outermost fault in its chain that
// has one, else Unknown.
func Of(err error) Class {
	for err != nil {
		var f *fault
		if !errors.As(err, &f) {
			return Unknown
		}
		if f.class != Unknown {
			return f.class
		}
		err = f.err
	}
	return Unknown
}

// Advice returns the hint of the outermost fault in err's chain that has one,
// else the empty string.
func Advice(err error) string {
	for err != nil {
		var f *fault
		if !errors.As(err, &f) {
			return ""
		}
		if f.advice != "" {
			return f.advice
		}
		err = f.err
	}
	return ""
}
