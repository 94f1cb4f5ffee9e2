package gate

import (
	"fmt"
	"time"
)

// Duration is a time.Duration that JSON writes as Go does: "10s", "1m30s".
type Duration time.Duration

// MarshalText writes the duration as time.Duration prints it.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no duration such as 10s: %w", text, err)
	}
	*d = Duration(v)
	return nil
}

// std is the duration as the standard library has it.
func (d Duration) std() time.Duration { return time.Duration(d) }
