// Package trace sends what passes were made of to an OpenTelemetry collector: spans,
// as OTLP in its JSON encoding over HTTP, which every collector takes. It writes that
// encoding by itself, for OpenTelemetry's own exporter brings all of gRPC.
package trace

import "time"

// Span is something that took time, with what it consisted of.
type Span struct {
	Name         string
	Begun, Ended time.Time
	// Attributes are words about it; those without a value are left out.
	Attributes []Attribute
	// Failed says why it went wrong; empty where it did not.
	Failed string
	// Parts are spans within this one.
	Parts []Span
}

// Attribute is one word about a span.
type Attribute struct{ Key, Value string }

// count is how many spans there are, with all parts.
func (s Span) count() int {
	n := 1
	for _, part := range s.Parts {
		n += part.count()
	}
	return n
}
