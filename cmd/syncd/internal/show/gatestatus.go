package show

import (
	"fmt"
	"strings"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/reconcile"
)

// gates is what the gates of the apps say of themselves.
func (s Style) gates(apps []reconcile.AppStatus) string {
	var b strings.Builder
	for _, a := range apps {
		for _, g := range a.Gates {
			b.WriteString("\n" + s.gate(a.Name, g))
		}
	}
	return b.String()
}

func (s Style) gate(app string, g apply.Gate) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", s.paint(bold, "gate "+word(g.Title())), s.standing(g))
	if g.Foreign {
		b.WriteString("  another syncd agent made it, and it is left alone\n")
	}
	if g.Outdated() {
		fmt.Fprintf(&b, "  its program is not of this syncd, %s: syncd gate upgrade %s\n", sentence(g.Program.Step(g.Newest)), word(app))
	}
	s.trouble(&b, "  ", g.Trouble, "")
	b.WriteString(indented(s.backends(g)))
	if g.Answers {
		b.WriteString("  " + counted(g) + "\n")
	}
	return b.String()
}

// standing says in one line what a gate is.
func (s Style) standing(g apply.Gate) string {
	parts := []string{"port " + word(g.Published)}
	if g.Mode != "" {
		parts = append(parts, word(g.Mode))
	}
	switch {
	case !g.Answers:
		parts = append(parts, s.paint(red, "no answer"))
	case g.Listening:
		parts = append(parts, "listens on "+word(g.Address))
	default:
		parts = append(parts, s.paint(yellow, "closed"))
	}
	if g.Program.Version != "" {
		parts = append(parts, "syncd-gate "+word(g.Program.Version))
	}
	return strings.Join(append(parts, "container "+word(g.Name)), ", ")
}

func (s Style) backends(g apply.Gate) string {
	var t table
	for _, x := range g.Backends {
		row := []cell{text(dash(x.Slot)), text(word(x.ID)), pooled(x)}
		if g.Answers {
			row = append(row, text(fmt.Sprint(x.InFlight)), text(fmt.Sprint(x.Served)), text(fmt.Sprint(x.Failed)))
		}
		t.row(row...)
	}
	if len(t.rows) == 0 {
		return "nobody serves\n"
	}
	var headed table
	headed.head([]string{"BACKEND", "CONTAINER", "STATE", "IN FLIGHT", "SERVED", "FAILED"}[:len(t.rows[0])]...)
	headed.rows = append(headed.rows, t.rows...)
	return headed.draw(s)
}

// pooled is what a gate does with a backend.
func pooled(x apply.GateBackend) cell {
	switch {
	case x.Draining:
		return cell{"draining", yellow}
	case x.Ejected:
		return cell{"ejected", red}
	default:
		return cell{"serves", green}
	}
}

// counted are the gate's totals; those that should be none only where there are
// some.
func counted(g apply.Gate) string {
	n := g.Totals
	line := fmt.Sprintf("waiting %d; since its start: %s, %d held, %d refused, %d cut",
		g.Waiting, count(int(n.Accepted), "connection"), n.Held, n.Refused, n.Cut)
	for _, x := range []struct {
		n    uint64
		what string
	}{{n.HeldTooLong, "held too long"}, {n.HeldTooMany, "held too many"}, {n.AcceptErrors, "not accepted"}, {n.Panics, "failed in the gate itself"}} {
		if x.n > 0 {
			line += fmt.Sprintf(", %d %s", x.n, x.what)
		}
	}
	return line
}

func indented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("  " + line)
	}
	return b.String()
}
