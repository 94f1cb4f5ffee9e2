package show

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"syncd.io/syncd/internal/reconcile"
)

// Status is the host's apps as a table, the images that they run, and what needs
// somebody's attention.
func (s Style) Status(st reconcile.Status) string {
	var b strings.Builder
	b.WriteString(s.hostLine(st))
	if st.SourceError != "" {
		s.trouble(&b, "", sourceTrouble(st), st.SourceHint)
	}
	b.WriteString(s.remotes(st))
	if st.EngineError != "" {
		s.trouble(&b, "", "the "+cmp.Or(word(st.Target), "engine")+" does not answer"+s.since(st)+": "+st.EngineError, st.EngineHint)
	}
	if st.Recovered != "" {
		b.WriteString(block("recovered: "+st.Recovered, "") + "\n")
	}
	if len(st.Apps) == 0 {
		b.WriteString("no apps\n")
		return b.String()
	}
	b.WriteString("\n" + s.apps(st.Apps))
	b.WriteString(s.images(st.Apps))
	b.WriteString(s.gates(st.Apps))
	for _, app := range st.Apps {
		b.WriteString(s.attention(app))
	}
	return b.String()
}

func (s Style) hostLine(st reconcile.Status) string {
	agent := "no agent runs"
	switch {
	case st.ReadOnly:
		agent = "agent runs, read-only"
	case st.Agent:
		agent = "agent runs"
	}
	host := word(st.Host)
	if host == "" {
		host = "this host"
	}
	return fmt.Sprintf("%s: %s, %s\n", host, about(st.Revision), agent)
}

// sourceTrouble says why what is newest is not what is wanted.
func sourceTrouble(st reconcile.Status) string {
	if st.SourceOutcome == reconcile.Rejected {
		return "rejected: " + st.SourceError
	}
	return "the repository cannot be read: " + st.SourceError
}

// since says from when on the engine is away, as far as that is known.
func (s Style) since(st reconcile.Status) string {
	if st.EngineSince.IsZero() {
		return ""
	}
	return " since " + s.moment(st.EngineSince)
}

func (s Style) apps(apps []reconcile.AppStatus) string {
	var t table
	t.head("APP", "STATUS", "HEALTH", "RUNS", "WANTED", "SINCE")
	for _, a := range apps {
		t.row(text(word(a.Name)), cell{string(a.Status), tone(a.Status)}, cell{string(a.Health), tone(a.Health)},
			text(short(a.Good)), text(short(a.Wanted)), text(s.age(a.Since)))
	}
	return t.draw(s)
}

func (s Style) images(apps []reconcile.AppStatus) string {
	var t table
	for _, a := range apps {
		for _, svc := range a.Services {
			t.row(text(word(a.Name)), text(word(svc.Service)), text(fmt.Sprint(svc.Replicas)), text(word(svc.Image)), text(shortDigest(svc.Digest)),
				text(dash(svc.Version)), text(dash(day(svc.Created))), text(dash(shortCommit(svc.Source))))
		}
	}
	if len(t.rows) == 0 {
		return ""
	}
	var headed table
	headed.head("APP", "SERVICE", "COPIES", "IMAGE", "DIGEST", "VERSION", "BUILT", "SOURCE")
	headed.rows = append(headed.rows, t.rows...)
	return "\n" + headed.draw(s)
}

// attention says what is not as it should be, and what to do about it.
func (s Style) attention(a reconcile.AppStatus) string {
	var b strings.Builder
	if a.Paused != nil {
		fmt.Fprintf(&b, "  paused by %s at %s%s: %s\n", word(a.Paused.Who), s.moment(a.Paused.At), s.until(a), sentence(a.Paused.Reason))
	}
	if a.Held != nil {
		fmt.Fprintf(&b, "  rolled back by %s at %s to %.10s\n", word(a.Held.Who), s.moment(a.Held.At), word(a.Held.Commit))
	}
	said := ""
	switch {
	case a.Paused != nil: // it has said why
		s.trouble(&b, "  ", "", a.Hint)
	case wants(a):
		said = a.Reason
		s.trouble(&b, "  ", a.Reason, a.Hint)
	}
	if a.Window != nil && !a.Window.Open && a.Cause != reconcile.CauseWindow { // else it has been said
		b.WriteString(block("window: "+a.Window.String(), "  ") + "\n")
	}
	for _, d := range a.Drift {
		b.WriteString(block("drift: "+d, "  ") + "\n")
	}
	for _, n := range a.Notes {
		b.WriteString(block("note: "+n, "  ") + "\n")
	}
	consents(&b, s, "  ", a.Name, a.Plan, unsaid(a.Consents, said))
	if b.Len() == 0 {
		return ""
	}
	owner := ""
	if a.Owner != "" {
		owner = " (" + word(a.Owner) + ")"
	}
	return "\n" + s.paint(bold, word(a.Name)) + owner + "\n" + b.String()
}

// wants tells whether the last pass's reason is worth a person's attention; that
// the engine is away is said of the whole host.
func wants(a reconcile.AppStatus) bool {
	if a.Status == reconcile.Unknown && a.Outcome == reconcile.Unreachable {
		return false
	}
	return a.Status != reconcile.Synced || a.Health == reconcile.Unhealthy
}

func (s Style) until(a reconcile.AppStatus) string {
	if a.Paused.Until.IsZero() {
		return ""
	}
	return " until " + s.moment(a.Paused.Until)
}

// trouble writes a reason and its hint, where there are any.
func (s Style) trouble(b *strings.Builder, indent, reason, hint string) {
	if reason != "" {
		b.WriteString(block(reason, indent) + "\n")
	}
	if hint != "" {
		b.WriteString(block("hint: "+hint, indent) + "\n")
	}
}

// unsaid are the consents that a reason, as far as it is shown, has not named yet.
// Where it has named them, its hint says how to give them.
func unsaid(list []string, reason string) []string {
	reason = sentence(reason)
	return slices.DeleteFunc(slices.Clone(list), func(c string) bool { return strings.Contains(reason, sentence(c)) })
}

// consents writes what waits for a person's word, and how to give it.
func consents(b *strings.Builder, s Style, indent, app, plan string, list []string) {
	for _, c := range list {
		b.WriteString(indent + s.paint(yellow, "needs consent: ") + sentence(c) + "\n")
	}
	if len(list) > 0 && plan != "" {
		fmt.Fprintf(b, "%stype: syncd approve %s --plan %s\n", indent, word(app), word(plan))
	}
}

// tone is the colour of a status word.
func tone(w reconcile.Word) colour {
	switch w {
	case reconcile.Synced, reconcile.Healthy:
		return green
	case reconcile.WHalted, reconcile.Unhealthy:
		return red
	case reconcile.Unknown:
		return faint
	default:
		return yellow
	}
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return word(s)
}

// shortDigest is enough of a digest or an image ID to tell it from others.
func shortDigest(s string) string {
	_, hex, found := strings.Cut(s, ":")
	if !found {
		hex = s
	}
	return dash(hex[:min(12, len(hex))])
}

func shortCommit(s string) string { return s[:min(10, len(s))] }

// day is the date of an RFC 3339 time.
func day(s string) string {
	date, _, _ := strings.Cut(s, "T")
	return date
}
