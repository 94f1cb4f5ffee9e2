package resource

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Duration is a span of time in what people and scripts get as JSON. There it is a
// string of seconds, "0.3s" or "125s", and never minutes, so that whatever takes
// the s away has a number.
type Duration time.Duration

// D returns the standard library's type.
func (d Duration) D() time.Duration { return time.Duration(d) }

// String returns it as the standard library does: 2m5s.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText returns the seconds, for JSON, and loses nothing: what is read again
// is the same.
func (d Duration) MarshalText() ([]byte, error) {
	sign, whole, rest := "", d/Duration(time.Second), d%Duration(time.Second)
	if d < 0 {
		sign, whole, rest = "-", -whole, -rest
	}
	text := strings.TrimRight(fmt.Sprintf("%s%d.%09d", sign, int64(whole), int64(rest)), "0")
	return []byte(strings.TrimSuffix(text, ".") + "s"), nil
}

// UnmarshalJSON reads a string with a unit, and a plain number of nanoseconds,
// which is how older agents and records have it.
func (d *Duration) UnmarshalJSON(data []byte) error {
	if len(data) == 0 || data[0] != '"' {
		return json.Unmarshal(data, (*int64)(d))
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("read duration: %w", err)
	}
	span, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("read duration: %w", err)
	}
	*d = Duration(span)
	return nil
}
