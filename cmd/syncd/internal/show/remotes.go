package show

import (
	"strings"

	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/source"
)

// remotes are repo.url and its mirrors as a table, with what is wrong with single
// ones. A repository that is had from one place alone, which serves, needs no word.
func (s Style) remotes(st reconcile.Status) string {
	if len(st.Remotes) == 0 || len(st.Remotes) == 1 && calm(st.Remotes[0].State) && passedOver(st.Remotes[0]) == "" {
		return ""
	}
	var t table
	t.head("REMOTE", "STATE", "HEAD", "ANSWERED")
	for _, r := range st.Remotes {
		t.row(text(word(r.Name)), cell{word(string(r.State)), toneOfRemote(r.State)}, text(dash(shortCommit(r.Head))), text(s.age(r.Answered)))
	}
	var b strings.Builder
	b.WriteString("\n" + t.draw(s))
	for _, r := range st.Remotes {
		b.WriteString(passedOver(r))
		if r.Reason == "" || strings.Contains(st.SourceError, r.Reason) {
			continue
		}
		b.WriteString(block(r.Name+": "+r.Reason, "  ") + "\n")
		if r.Hint != "" {
			b.WriteString(block("hint: "+r.Hint, "  ") + "\n")
		}
	}
	return b.String()
}

// passedOver names the bundles that do not count; where none does, the reason does.
func passedOver(r source.RemoteStatus) string {
	if r.Reason != "" {
		return ""
	}
	var b strings.Builder
	for _, s := range r.Bundles {
		if !s.Counts() {
			b.WriteString(block(s.String(), "  ") + "\n")
		}
	}
	return b.String()
}

func calm(state source.RemoteState) bool {
	return state == source.RemoteServing || state == source.RemoteStandby
}

func toneOfRemote(state source.RemoteState) colour {
	switch {
	case state == source.RemoteServing:
		return green
	case state == source.RemoteStandby:
		return faint
	case state.Suspicious(), state == source.RemoteUntrusted:
		return red
	}
	return yellow
}
