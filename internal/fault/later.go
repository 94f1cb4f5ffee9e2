package fault

import (
	"errors"
	"time"
)

// later is an error of somebody who said when to come again.
type later struct {
	after time.Duration
	err   error
}

// Error returns the wrapped error's text.
func (l *later) Error() string { return l.err.Error() }

// Unwrap returns the error.
func (l *later) Unwrap() error { return l.err }

// Later notes that whoever err is from wants to be left alone for so long. Class and
// hint stay; where after is not positive, nothing is noted. A nil err stays nil.
func Later(err error, after time.Duration) error {
	if err == nil || after <= 0 {
		return err
	}
	return &later{after, err}
}

// After is for how long the outermost in err's chain who said so wants to be left
// alone; zero where nobody did.
func After(err error) time.Duration {
	var l *later
	if !errors.As(err, &l) {
		return 0
	}
	return l.after
}
