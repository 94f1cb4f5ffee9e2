package show

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/spec"
)

// Plan is what would be done, app by app, and why.
func (s Style) Plan(previews []reconcile.Preview) string {
	var parts []string
	different := 0
	for _, p := range previews {
		parts = append(parts, s.preview(p))
		if p.Differs() {
			different++
		}
	}
	if len(previews) != 1 {
		parts = append(parts, fmt.Sprintf("%s, %d with differences\n", count(len(previews), "app"), different))
	}
	return strings.Join(parts, "\n")
}

func (s Style) preview(p reconcile.Preview) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", s.paint(bold, word(p.App)), about(p.Revision))
	if p.Error != "" {
		b.WriteString(s.paint(red, "  "+word(string(p.Outcome))) + "\n")
		s.trouble(&b, "  ", p.Error, p.Hint)
		return b.String()
	}
	for _, note := range slices.Concat(p.Notes, p.Plan.Notes) {
		b.WriteString(block("note: "+note, "  ") + "\n")
	}
	if !p.Differs() {
		b.WriteString(s.idle(p))
		return b.String()
	}
	s.changes(&b, p)
	s.costs(&b, p)
	if steps := p.Plan.Steps; len(steps) > 0 {
		fmt.Fprintf(&b, "  plan %s:\n%s\n", word(p.Digest), block(stepsOf(p.Plan), "    "))
	}
	for _, reason := range p.Plan.Blocked {
		b.WriteString("  " + s.paint(red, "blocked: ") + sentence(reason) + "\n")
	}
	consents(&b, s, "  ", p.App, p.Digest, p.Plan.Consents)
	return b.String()
}

// idle says why nothing would be done, and what is there that is not touched.
func (s Style) idle(p reconcile.Preview) string {
	var b strings.Builder
	for _, f := range p.Report.Different() {
		if f.Class != drift.Foreign { // a note tells
			b.WriteString(block(f.String(), "  ") + "\n")
		}
	}
	switch {
	case p.Outcome != "":
		b.WriteString("  " + s.paint(yellow, word(string(p.Outcome))+": nothing to do until then") + "\n")
		s.trouble(&b, "  ", "", p.Hint)
	case b.Len() > 0:
		b.WriteString("  " + s.paint(yellow, "nothing to do: it is left alone") + "\n")
	default:
		b.WriteString("  " + s.paint(green, "in sync: nothing to do") + "\n")
	}
	return b.String()
}

// stepsOf prints the steps alone: notes and consents have places of their own.
func stepsOf(p apply.Plan) string { return apply.Plan{Steps: p.Steps}.String() }

// changes tells of each service how it changes and why, and of what no service
// is behind (networks, volumes) what differs.
func (s Style) changes(b *strings.Builder, p reconcile.Preview) {
	for _, svc := range p.Services {
		if svc.How == apply.Unchanged && len(svc.Gates) == 0 {
			continue
		}
		fmt.Fprintf(b, "  %s  %s%s\n", s.paint(bold, word(svc.Group)), s.paint(roughness(svc.How), string(svc.How)), because(svc))
		for _, c := range svc.Changes {
			b.WriteString("    " + change(c) + "\n")
		}
		for _, line := range price(svc) {
			b.WriteString("    " + line + "\n")
		}
	}
	for _, f := range loose(p) {
		b.WriteString(block(f.String(), "  ") + "\n")
	}
}

func because(svc reconcile.ServicePlan) string {
	text := ""
	if svc.Of > 1 || svc.Slots > 1 {
		text = fmt.Sprintf(", %d of %d", svc.Slots, svc.Of)
	}
	if svc.Why != "" {
		text += ": " + sentence(svc.Why)
	}
	return text
}

func change(c drift.Change) string {
	return sentence(c.String())
}

// price is what a change costs meanwhile.
func price(svc reconcile.ServicePlan) []string {
	var out []string
	if svc.Gap > 0 {
		line := "gap: about " + seconds(svc.Gap.D()) + " " + cmp.Or(svc.Where, "without an instance")
		if svc.Remedy != "" {
			line += "; " + svc.Remedy
		}
		out = append(out, sentence(line))
	} else if svc.How == apply.HowStartFirst {
		out = append(out, "gap: none")
	}
	for _, line := range svc.Gates {
		out = append(out, sentence(line))
	}
	if svc.Canary != nil {
		out = append(out, "canary: "+svc.Canary.String()+" first")
	}
	if svc.Pause > 0 {
		out = append(out, "pause: "+seconds(svc.Pause.D())+" before each stop, for the proxy in front")
	}
	if svc.Memory > 0 {
		line := "memory: up to " + size(svc.Memory) + " more meanwhile"
		if svc.Free > 0 {
			line += ", " + size(svc.Free) + " free"
		}
		if svc.Free > 0 && svc.Memory > svc.Free {
			line += ": not enough"
		}
		out = append(out, line)
	}
	return out
}

// loose are the differences that belong to no service of the plan.
func loose(p reconcile.Preview) []drift.Finding {
	told := map[string]bool{}
	for _, svc := range p.Services {
		if svc.How != apply.Unchanged {
			told[svc.Group] = true
		}
	}
	var out []drift.Finding
	for _, f := range p.Report.Different() {
		if f.Class == drift.Foreign { // a note tells, or what blocks
			continue
		}
		if told[f.Key.String()] || f.Key.Kind == spec.KindContainer && told[f.Key.Namespace] {
			continue
		}
		out = append(out, f)
	}
	return out
}

// costs are what concerns the app as a whole.
func (s Style) costs(b *strings.Builder, p reconcile.Preview) {
	if len(p.Jobs) > 0 {
		b.WriteString("  one-shots that run: " + sentence(strings.Join(p.Jobs, ", ")) + "\n")
	}
	if len(p.Missing) > 0 {
		b.WriteString("  images to pull: " + sentence(strings.Join(p.Missing, ", ")) + "\n")
	}
	b.WriteString("  way back: " + s.wayBack(p.WayBack) + "\n")
}

func (s Style) wayBack(w reconcile.WayBack) string {
	switch {
	case w.Good.Commit == "":
		return s.paint(yellow, "none: no revision has been good yet")
	case len(w.Missing) > 0:
		return about(w.Good) + s.paint(yellow, ", but its images are gone: ") + sentence(strings.Join(w.Missing, ", "))
	case w.Unseen:
		return about(w.Good)
	default:
		return about(w.Good) + ", its images are here"
	}
}

// roughness is the colour of the way in which a service changes.
func roughness(h apply.How) colour {
	switch h {
	case apply.HowStopFirst, apply.Restarted, apply.Gone:
		return yellow
	default:
		return green
	}
}
