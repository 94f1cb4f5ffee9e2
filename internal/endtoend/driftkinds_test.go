package endtoend_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/state"
)

// appDrift is what syncd drift says of an app.
type appDrift struct {
	App      string
	Incident *reconcile.IncidentStatus
	Ignored  []reconcile.IgnoredField
}

// drift is what it says of the app now.
func (l *listener) drift() appDrift {
	l.t.Helper()
	out, err := exec.CommandContext(l.t.Context(), agentProgram(l.t), "drift", l.project, "--config", l.config, "-o", "json").Output()
	if ended := new(exec.ExitError); err != nil && (!errors.As(err, &ended) || ended.ExitCode() != 5) {
		l.t.Fatalf("syncd drift: %v\n%s", err, out)
	}
	var all []appDrift
	l.must(json.Unmarshal(out, &all))
	if len(all) != 1 {
		return appDrift{}
	}
	return all[0]
}

// linesOf are the findings in the words of the history.
func linesOf(findings []state.Finding) []string {
	var out []string
	for _, f := range findings {
		for _, field := range f.Fields {
			out = append(out, fmt.Sprintf("%s %s: %s -> %s", f.Key, field.Path, orNone(field.Live), orNone(field.Want)))
		}
		switch {
		case len(f.Fields) > 0:
		case f.Reason != "":
			out = append(out, fmt.Sprintf("%s %s: %s", f.Key, f.Class, f.Reason))
		default:
			out = append(out, fmt.Sprintf("%s %s", f.Key, f.Class))
		}
	}
	return out
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

// of are the facts about an incident that were told so far.
func (l *listener) of(incident string) []fact {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.facts), func(f fact) bool { return f.Incident != incident })
}

// over waits until the end of an incident is told, and fails the test unless each of its
// facts was told once: where it began, what came to it, and its end; or all of it at its
// end, where the repair was quicker than the group.
func (l *listener) over(incident string, d deed, why string) {
	l.t.Helper()
	var told []fact
	dockertest.Eventually(l.t, "the end of "+incident+" is told", func() bool {
		told = l.of(incident)
		return slices.ContainsFunc(told, func(f fact) bool { return f.Event == "drift-resolved" })
	})
	var lines, events []string
	for _, f := range told {
		events = append(events, f.Event)
		if f.Event != "drift-resolved" || len(told) == 1 {
			lines = append(lines, f.Findings...)
		}
		if f.Event == "drift-resolved" && f.Reason != why {
			l.t.Errorf("its end is told as %q, want %q", f.Reason, why)
		}
	}
	last := len(events) - 1
	if last > 0 && events[0] != "drift-opened" || events[last] != "drift-resolved" || last > 1 && len(d.finds)+len(d.passes) < last || slices.ContainsFunc(events[min(1, last):last], func(e string) bool { return e != "drift-changed" }) {
		l.t.Errorf("%s is told as %v", incident, events)
	}
	l.same(lines, d)
}

// same fails the test unless the lines are what a deed finds, each once, and besides
// what may be seen for a moment.
func (l *listener) same(lines []string, d deed) {
	l.t.Helper()
	var want []string
	for _, line := range d.finds {
		want = append(want, strings.ReplaceAll(line, "PROJECT", l.project))
	}
	got := slices.DeleteFunc(slices.Sorted(slices.Values(lines)), func(line string) bool { return slices.Contains(d.passes, line) })
	seen := len(got) < len(lines)
	if slices.Sort(want); !slices.Equal(got, want) && !(seen && len(got) == 0) {
		l.t.Errorf("it is told as %q, want %q", lines, want)
	}
}

// Whatever somebody does by hand is repaired, and told with its fields when it is found
// and when it is over, each once; and nothing else is.
func TestEachKindOfDriftIsRepairedAndToldOnce(t *testing.T) {
	t.Parallel()
	l := newListener(t)
	l.write(".syncd.yaml", "rollout: {soak: 500ms, timeout: 20s}\n"+measured)
	l.deploy(handled)
	l.listen()
	l.start()
	l.hearsOf("applied")
	l.does(updated("quiet", container.UpdateConfig{RestartPolicy: container.RestartPolicy{Name: "always"}}))
	number := 0
	for _, d := range deeds() {
		if d.slow { // the agent would be quicker
			continue
		}
		number++
		well := t.Run(d.name, func(t *testing.T) {
			l.t = t
			l.does(d.do)
			why := "repaired by syncd"
			if d.undo != nil {
				dockertest.Eventually(t, "it is told", func() bool { return len(l.of(state.IncidentID(l.project, number))) > 0 })
				l.does(d.undo)
				why = "it went back by itself"
			}
			l.over(state.IncidentID(l.project, number), d, why)
		})
		if l.t = t; !well {
			return
		}
	}
	l.nothingElse(number)
	if policy := l.one("quiet").HostConfig.RestartPolicy.Name; policy != "always" {
		t.Errorf("what drift.ignore allows to differ is %s", policy)
	}
}

// nothingElse fails the test if there were more incidents than these, or something was
// told more than once.
func (l *listener) nothingElse(incidents int) {
	l.t.Helper()
	d := l.drift()
	if d.Incident != nil || len(d.Ignored) != 1 || d.Ignored[0].Rule != "it is measured" {
		l.t.Errorf("in the end, there is %+v", d)
	}
	l.kill()
	if rec := l.record(); rec.Incident != nil || rec.Incidents != incidents {
		l.t.Errorf("after %d drifts, there were %d incidents, and open is %+v", incidents, rec.Incidents, rec.Incident)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	once := map[string]int{}
	for _, f := range l.facts {
		if once[f.Event+" "+f.Incident]++; f.Event != "drift-changed" && once[f.Event+" "+f.Incident] > 1 {
			l.t.Errorf("%s of %s is told again", f.Event, f.Incident)
		}
	}
	if l.bad != "" || l.again > 0 {
		l.t.Errorf("%d requests came again, a request is wrong: %s", l.again, l.bad)
	}
}

// Without selfHeal each is reported with its fields, both values, since when and against
// which revision, told once, and repaired when a person asks for it.
func TestEachKindOfDriftIsReportedAndToldOnce(t *testing.T) {
	t.Parallel()
	l := newListener(t)
	l.write(".syncd.yaml", "rollout: {soak: 500ms, timeout: 20s}\nsync: {selfHeal: false}\n"+measured)
	commit := l.deploy(handled)
	l.listen()
	l.start()
	l.hearsOf("applied")
	l.does(updated("quiet", container.UpdateConfig{RestartPolicy: container.RestartPolicy{Name: "always"}}))
	number := 0
	for _, d := range deeds() {
		number++
		well := t.Run(d.name, func(t *testing.T) {
			l.t = t
			before := time.Now()
			l.does(d.do)
			id := state.IncidentID(l.project, number)
			i := l.reports(id, d)
			if i.Revision.Commit != commit || i.Opened.Before(before) || i.Opened.After(time.Now()) {
				t.Errorf("it is open since %s, and differs from %s", i.Opened, i.Revision.Commit)
			}
			why := "repaired by syncd"
			if d.undo != nil {
				l.does(d.undo)
				why = "it went back by itself"
			} else if out, err := exec.CommandContext(t.Context(), agentProgram(t), "sync", l.project, "--config", l.config).CombinedOutput(); err != nil {
				t.Fatalf("syncd sync: %v\n%s", err, out)
			}
			l.over(id, d, why)
		})
		if l.t = t; !well {
			return
		}
	}
	l.nothingElse(number)
}

// reports waits until syncd drift says all that a deed has changed, as an incident that
// is on record.
func (l *listener) reports(id string, d deed) *reconcile.IncidentStatus {
	l.t.Helper()
	var now appDrift
	dockertest.Eventually(l.t, "a report of "+d.name, func() bool {
		now = l.drift()
		return now.Incident != nil && now.Incident.ID == id && len(linesOf(now.Incident.Findings)) == len(d.finds) &&
			!slices.ContainsFunc(linesOf(now.Incident.Findings), func(line string) bool { return slices.Contains(d.passes, line) })
	})
	l.same(linesOf(now.Incident.Findings), d)
	for _, f := range now.Incident.Findings {
		for _, field := range f.Fields {
			if field.First.Before(now.Incident.Opened) {
				l.t.Errorf("%s differs since %s, before the incident, %s", field.Path, field.First, now.Incident.Opened)
			}
		}
		if f.First.Before(now.Incident.Opened) || f.Last.Before(f.First) {
			l.t.Errorf("%s differs since %s, and was last seen at %s", f.Key, f.First, f.Last)
		}
	}
	return now.Incident
}
