package main

import (
	"fmt"
	"strings"

	"syncd.io/syncd/internal/resource"
)

// verdict is what validate says of one app.
type verdict struct {
	App      string    `json:"app"`
	Dir      string    `json:"dir,omitempty"`
	Objects  int       `json:"objects"`
	Problems []problem `json:"problems"`
	Warnings []problem `json:"warnings,omitempty"`
	Notes    []string  `json:"notes,omitempty"`
}

// problem is one thing that is wrong, and what to do about it.
type problem struct {
	Text string `json:"text"`
	Hint string `json:"hint,omitempty"`
}

func verdictsText(verdicts []verdict) string {
	var b strings.Builder
	bad := 0
	for _, v := range verdicts {
		if len(v.Problems) > 0 {
			bad++
		}
		b.WriteString(v.text())
	}
	noun := "apps"
	if len(verdicts) == 1 {
		noun = "app"
	}
	fmt.Fprintf(&b, "%d %s, %d with problems\n", len(verdicts), noun, bad)
	return b.String()
}

func (v verdict) text() string {
	var b strings.Builder
	state := fmt.Sprintf("ok, %d objects", v.Objects)
	if len(v.Problems) > 0 {
		state = "FAIL"
	} else if len(v.Warnings) > 0 {
		state = "not rendered"
	}
	fmt.Fprintf(&b, "%s: %s\n", harmless(v.App), state)
	for _, p := range v.Problems {
		b.WriteString(p.text(""))
	}
	for _, p := range v.Warnings {
		b.WriteString(p.text("warning: "))
	}
	for _, n := range v.Notes {
		fmt.Fprintf(&b, "  note: %s\n", harmless(n))
	}
	return b.String()
}

func (p problem) text(prefix string) string {
	var b strings.Builder
	for line := range strings.Lines(p.Text) {
		fmt.Fprintf(&b, "  %s%s\n", prefix, harmless(line))
	}
	if p.Hint != "" {
		fmt.Fprintf(&b, "  hint: %s\n", harmless(p.Hint))
	}
	return b.String()
}

func harmless(s string) string { return resource.Harmless(s, 600) }
