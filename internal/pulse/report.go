package pulse

import (
	"fmt"
	"strings"
	"time"
)

// Check is one thing that was looked at.
type Check struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Detail says more; where it is not well, what is wrong.
	Detail string `json:"detail,omitempty"`
}

// Report is how an agent is.
type Report struct {
	OK     bool    `json:"ok"`
	Checks []Check `json:"checks"`
}

// Of is the report of checks: all have to be well.
func Of(checks ...Check) Report {
	r := Report{OK: true, Checks: checks}
	for _, c := range checks {
		r.OK = r.OK && c.OK
	}
	return r
}

// Trouble says in one line what is not well; empty where all is.
func (r Report) Trouble() string {
	var all []string
	for _, c := range r.Checks {
		if !c.OK {
			all = append(all, c.Name+": "+c.Detail)
		}
	}
	return strings.Join(all, "; ")
}

// Loops is the check of the loops: none of them hangs. It names those that do.
func (h *Heart) Loops() Check {
	var all []string
	for _, hung := range h.Hung() {
		all = append(all, fmt.Sprintf("%s gives no sign of life for %s", hung.Name, hung.Silent.Round(time.Second)))
	}
	return Check{Name: "loops", OK: len(all) == 0, Detail: strings.Join(all, ", ")}
}
