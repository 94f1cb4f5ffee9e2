package health

import (
	"strings"
	"time"
)

// condition is one of an object's status.conditions.
type condition struct {
	kind, status, reason, message string
	// since is when its status last changed; zero where it does not say.
	since time.Time
	// generation is the one that it is about, 0 where it does not say.
	generation int64
}

// conditions returns those that have a type and a status: a list of something
// else under that name says nothing.
func conditions(object map[string]any) []condition {
	var out []condition
	for _, item := range items(object, "status", "conditions") {
		c := condition{
			kind: text(item, "type"), status: text(item, "status"),
			reason: text(item, "reason"), message: text(item, "message"),
			generation: number(item, 0, "observedGeneration"),
		}
		if at, err := time.Parse(time.RFC3339, text(item, "lastTransitionTime")); err == nil {
			c.since = at
		}
		if c.kind != "" && c.status != "" {
			out = append(out, c)
		}
	}
	return out
}

// conditionOf returns the object's condition of that type; one without a type
// where it has none.
func conditionOf(object map[string]any, kind string) condition {
	for _, c := range conditions(object) {
		if c.kind == kind {
			return c
		}
	}
	return condition{}
}

func (c condition) holds() bool { return c.status == "True" }

// why returns the reason and the message, whichever there is.
func (c condition) why() string { return phrase(c.reason, c.message) }

// past tells whether more than grace has gone by from since to now; not where
// one of the two is unknown.
func past(since time.Time, grace time.Duration, now time.Time) bool {
	return !since.IsZero() && !now.IsZero() && now.Sub(since) > grace
}

// phrase joins what is not empty by ": ".
func phrase(parts ...string) string {
	var said []string
	for _, part := range parts {
		if part = strings.TrimSpace(part); part != "" {
			said = append(said, part)
		}
	}
	return strings.Join(said, ": ")
}
