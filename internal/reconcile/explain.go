package reconcile

import (
	"context"
	"fmt"
)

// Explain says why an app is as it is, who has to act, and what to type.
func (a *Agent) Explain(ctx context.Context, app string) (Explanation, error) {
	st, err := a.Status(ctx, []string{app})
	if err != nil {
		return Explanation{}, err
	}
	s := st.Apps[0]
	e := Explanation{App: app, Actor: actor(s)}
	e.Lines = append(e.Lines, fmt.Sprintf("%s is %s and %s.", app, s.Status, s.Health))
	e.Lines = append(e.Lines, revisions(s)...)
	if s.Reason != "" {
		e.Lines = append(e.Lines, "The last pass ended "+string(s.Outcome)+": "+s.Reason+".")
	}
	if s.Hint != "" && s.Status != Synced {
		e.Lines = append(e.Lines, "What helps: "+s.Hint+".")
	}
	for _, d := range s.Drift {
		e.Lines = append(e.Lines, "Drift: "+d)
	}
	if st.SourceError != "" {
		e.Lines = append(e.Lines, "Newer revisions cannot be seen: "+st.SourceError+".")
	}
	e.Type = commands(s)
	if s.Status == Progressing && !st.Agent { // it was cut short, and nobody goes on with it
		e.Actor, e.Type = "an operator", []string{"syncd sync " + app}
	}
	return e, nil
}

func revisions(s AppStatus) []string {
	switch {
	case s.Good.Commit == "" && s.Status == Synced:
		return []string{"The repository does not ask for it, and nothing of it is left."}
	case s.Good.Commit == "":
		return []string{"No revision has become good yet."}
	case s.Wanted.Commit == "": // the repository cannot be seen
		return []string{fmt.Sprintf("It runs the good revision %s %q by %s.", s.Good.Short(), s.Good.Subject, s.Good.Author)}
	case s.Wanted.Commit == s.Good.Commit:
		return []string{fmt.Sprintf("It runs what the repository asks for: %s %q by %s.", s.Good.Short(), s.Good.Subject, s.Good.Author)}
	default:
		return []string{
			fmt.Sprintf("It runs the good revision %s %q by %s.", s.Good.Short(), s.Good.Subject, s.Good.Author),
			fmt.Sprintf("The repository asks for %s %q by %s.", s.Wanted.Short(), s.Wanted.Subject, s.Wanted.Author),
		}
	}
}

// actor names who has to do something about it.
func actor(s AppStatus) string {
	switch s.Status {
	case WRolledBack:
		return "the author of the change"
	case WHalted, WBlocked, WPaused, WHeld:
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
	case WHeld, WPaused:
		if s.Held == nil && s.Paused == nil { // what holds it is a quarantine
			return []string{"syncd retry " + s.Name}
		}
		return []string{"syncd resume " + s.Name}
	case WBlocked, OutOfSync:
		out := []string{"syncd plan " + s.Name}
		if s.Plan != "" {
			return append(out, fmt.Sprintf("syncd approve %s --plan %s", s.Name, s.Plan))
		}
		if s.Status == OutOfSync {
			out = append(out, "syncd sync "+s.Name)
		}
		return out
	}
	return nil
}
