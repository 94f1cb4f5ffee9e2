package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"syncd.io/syncd/internal/source"
)

// Explain says why an app is as it is, who has to act, and what to type.
func (a *Agent) Explain(ctx context.Context, app string) (Explanation, error) {
	st, err := a.status(ctx, []string{app})
	if err != nil {
		return Explanation{}, err
	}
	s := st.Apps[0]
	e := Explanation{App: app, Actor: actor(s)}
	e.Lines = append(e.Lines, words(s))
	e.Lines = append(e.Lines, revisions(s)...)
	if s.Window != nil {
		e.Lines = append(e.Lines, "Its window is "+s.Window.String()+".")
	}
	e.Lines = append(e.Lines, outage(st, a.idiom().place)...)
	e.Lines = append(e.Lines, lastPass(s)...)
	e.Lines = append(e.Lines, driftLinesOf(s)...)
	for _, i := range s.Ignored {
		e.Lines = append(e.Lines, fmt.Sprintf("%s differs in %s, which drift.ignore allows: %s.", i.Key, i.Path, strings.TrimSuffix(i.Rule, ".")))
	}
	for _, d := range s.Drift {
		e.Lines = append(e.Lines, "Drift: "+d)
	}
	for _, n := range s.Notes {
		e.Lines = append(e.Lines, "Besides, "+n+".")
	}
	if st.SourceError != "" {
		e.Lines = append(e.Lines, newest(st))
	}
	e.Type = commands(s)
	switch {
	case st.EngineError != "": // nothing else helps before it answers
		e.Actor, e.Type = "an operator", []string{a.idiom().revive, "syncd check"}
	case st.ReadOnly:
		e.Lines = append(e.Lines, "This agent is read-only: it reports, and never acts.")
		e.Type = slices.DeleteFunc(e.Type, acts)
	case s.Status == Progressing && !st.Agent: // it was cut short, and nobody goes on with it
		e.Actor, e.Type = "an operator", []string{"syncd sync " + app}
	}
	return e, nil
}

// newest says why nothing newer is wanted.
func newest(st Status) string {
	if st.SourceOutcome == Rejected {
		return "What is newer is rejected: " + st.SourceError + "."
	}
	return "Newer revisions cannot be seen: " + st.SourceError + "."
}

// acts tells which commands a read-only agent refuses.
func acts(command string) bool {
	return !strings.HasPrefix(command, "syncd plan ") && !strings.HasPrefix(command, "syncd logs ")
}

// outage says that the engine, or the cluster, does not answer, since when, and what that means.
func outage(st Status, place string) []string {
	if st.EngineError == "" {
		return nil
	}
	since := ""
	if !st.EngineSince.IsZero() {
		since = ", since " + st.EngineSince.Format("2006-01-02 15:04:05")
	}
	later := "the agent goes on by itself when it answers"
	if !st.Agent {
		later = "no agent runs: syncd sync goes on when it answers"
	}
	lines := []string{
		fmt.Sprintf("The %s does not answer%s: %s.", place, since, strings.TrimSuffix(st.EngineError, ".")),
		"What runs now is unknown. Nothing is blamed for that, and " + later + ".",
	}
	if st.EngineHint != "" {
		lines = append(lines, "What helps: "+st.EngineHint+".")
	}
	return lines
}

// lastPass is what the last pass left to be said; what only says again that the
// engine is away is left out.
func lastPass(s AppStatus) []string {
	var lines []string
	switch {
	case s.Status == Unknown && s.Outcome == Unreachable:
		return nil
	case s.Reason != "" && s.Outcome == "":
		lines = append(lines, "No pass has ended yet: "+s.Reason+".")
	case s.Reason != "":
		lines = append(lines, "The last pass ended "+string(s.Outcome)+": "+s.Reason+".")
	}
	if s.Hint != "" && (s.Status != Synced || s.Outcome == Degraded) {
		lines = append(lines, "What helps: "+s.Hint+".")
	}
	return lines
}

func words(s AppStatus) string {
	if s.Status == Unknown {
		return fmt.Sprintf("What %s is now is unknown.", s.Name)
	}
	return fmt.Sprintf("%s is %s and %s.", s.Name, s.Status, s.Health)
}

func revisions(s AppStatus) []string {
	switch {
	case s.Status == Unknown && s.Good.Commit != "":
		return []string{fmt.Sprintf("The last good revision is %s.", introduced(s.Good))}
	case s.Good.Commit == "" && s.Status == Synced:
		return []string{"The repository does not ask for it, and nothing of it is left."}
	case s.Good.Commit == "":
		return []string{"No revision has become good yet."}
	case s.Wanted.Commit == "": // the repository cannot be seen
		return []string{fmt.Sprintf("It runs the good revision %s.", introduced(s.Good))}
	case s.Wanted.Commit == s.Good.Commit:
		return []string{fmt.Sprintf("It runs what the repository asks for: %s.", introduced(s.Good))}
	default:
		return []string{
			fmt.Sprintf("It runs the good revision %s.", introduced(s.Good)),
			fmt.Sprintf("The repository asks for %s.", introduced(s.Wanted)),
		}
	}
}

// introduced is a revision with its author and, where that was looked for, its signer.
func introduced(r source.Revision) string {
	text := fmt.Sprintf("%s %q by %s", r.Short(), r.Subject, r.Author)
	if signer := r.Signer.String(); signer != "" {
		text += ", signed by " + signer
	}
	return text
}

// actor names who has to do something about it.
func actor(s AppStatus) string {
	if s.Status == WBlocked && s.Cause == CauseWindow && !s.Window.neverOpens() {
		return "nobody"
	}
	switch s.Status {
	case WRolledBack:
		return "the author of the change"
	case WHeld:
		if s.Held == nil { // what holds it is a quarantine
			return "the author of the change"
		}
		return "an operator"
	case WHalted, WBlocked, WPaused:
		return "an operator"
	case OutOfSync:
		if s.Outcome == Rejected {
			return "the author of the change"
		}
		return "an operator"
	}
	if s.Health == Unhealthy {
		return "an operator"
	}
	return "nobody"
}

// commands are what a person would type next.
func commands(s AppStatus) []string {
	switch s.Status {
	case WRolledBack, WHalted:
		out := []string{}
		if n := len(s.Quarantine); n > 0 {
			out = append(out, fmt.Sprintf("syncd logs %s --attempt %s", s.Name, s.Quarantine[n-1].Revision.Short()))
		}
		return append(out, "syncd retry "+s.Name)
	case WHeld:
		if s.Held == nil {
			return []string{"syncd retry " + s.Name}
		}
		return []string{"syncd resume " + s.Name}
	case WPaused:
		if s.Paused == nil { // it was released
			return []string{"syncd adopt " + s.Name}
		}
		return []string{"syncd resume " + s.Name}
	case WBlocked, OutOfSync:
		out := []string{"syncd plan " + s.Name}
		if s.Status == WBlocked && s.Cause == CauseWindow {
			return append(out, "syncd sync "+s.Name+" --force --reason TEXT")
		}
		if s.Plan != "" {
			return append(out, fmt.Sprintf("syncd approve %s --plan %s", s.Name, s.Plan))
		}
		if s.Status == OutOfSync && s.Outcome != Rejected {
			out = append(out, "syncd sync "+s.Name)
		}
		return out
	}
	return nil
}
