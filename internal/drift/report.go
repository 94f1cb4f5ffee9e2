// Package drift compares what is wanted with what is live and says, in the
// user's own words, where they differ. It is pure: pairs in, a report out.
// Secret values are masked here, so that nothing after can leak them.
package drift

import (
	"fmt"
	"strings"

	"syncd.io/syncd/internal/resource"
)

// Class is what is wrong with one slot, as one word.
type Class string

// The classes of a finding.
const (
	InSync   Class = "in sync"
	Missing  Class = "missing"
	Extra    Class = "extra"
	Modified Class = "modified"
	// Foreign: something stands in our slot that is not ours to touch.
	Foreign Class = "foreign"
	// Deferred: it cannot be looked at yet.
	Deferred Class = "deferred"
)

// None says that no instance of the slot matches what is wanted.
const None = -1

// Change is one field that differs, ready to be shown.
type Change struct {
	// Path is the field in the user's words: environment.LOG_LEVEL, ports[8080].
	Path string `json:"path"`
	// Want and Live are the two values as short text, masked where they are
	// secret; empty for "not there".
	Want string `json:"want"`
	Live string `json:"live"`
	// InPlace is true where the living instance can be mended.
	InPlace bool `json:"inPlace,omitempty"`
}

// String returns the change as path: live -> want.
func (c Change) String() string {
	return fmt.Sprintf("%s: %s -> %s", c.Path, orNone(c.Live), orNone(c.Want))
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

// Finding is the verdict on one slot.
type Finding struct {
	Key   resource.Key `json:"key"`
	Class Class        `json:"class"`
	// Changes are the fields of the matching (or nearest) instance that differ;
	// never empty where Class is Modified.
	Changes []Change `json:"changes,omitempty"`
	// Ignored are fields that differ, as a rule allows.
	Ignored []Ignored `json:"ignored,omitempty"`
	// Aside are fields that others have put beside ours, each with who did: they are
	// told, and stay.
	Aside []string `json:"aside,omitempty"`
	// By names who changed it, where the target knows; it stands in Reason, too.
	By string `json:"by,omitempty"`
	// Match is the index in Pair.Live of the instance that is as wanted, or can
	// be mended in place to be; None where a new one is needed, and for a job that
	// needs no run.
	Match int `json:"-"`
	// Reason says more: why it is deferred, how many instances are extra.
	Reason string `json:"reason,omitempty"`
}

// InPlace tells whether every difference can be mended on the living instance.
func (f Finding) InPlace() bool { return f.Match != None }

// String returns the finding as one line per changed field.
func (f Finding) String() string {
	head := fmt.Sprintf("%s %s", f.Key, f.Class)
	if f.Reason != "" {
		head += ": " + f.Reason
	}
	lines := []string{head}
	for _, c := range f.Changes {
		lines = append(lines, "  "+c.String())
	}
	return strings.Join(lines, "\n")
}

// Report is the difference of one app: one finding per pair, in pair order.
type Report struct {
	Findings []Finding `json:"findings"`
}

// InSync tells whether nothing differs.
func (r Report) InSync() bool { return len(r.Different()) == 0 }

// Different returns the findings that are not in sync.
func (r Report) Different() []Finding {
	var out []Finding
	for _, f := range r.Findings {
		if f.Class != InSync {
			out = append(out, f)
		}
	}
	return out
}

// Aside returns what others have put beside our fields, one line each.
func (r Report) Aside() []string {
	var out []string
	for _, f := range r.Findings {
		for _, field := range f.Aside {
			out = append(out, fmt.Sprintf("%s has %s beside what is wanted", f.Key, field))
		}
	}
	return out
}

// String prints the findings that are not in sync, one block each; empty when
// there are none.
func (r Report) String() string {
	var lines []string
	for _, f := range r.Different() {
		lines = append(lines, f.String())
	}
	return strings.Join(lines, "\n")
}
