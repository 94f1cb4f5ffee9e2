package notify

import (
	"strings"
	"time"
)

// alert is one alert as Alertmanager knows it: by its labels.
type alert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt,omitzero"`
}

// over tells whether it has ended, and that has yet to be said.
func (a alert) over() bool { return !a.EndsAt.IsZero() }

// alertOf is the alert that an incident is.
func alertOf(host string, t Told) alert {
	labels := map[string]string{"alertname": nameOf(t.Event), "severity": string(t.Severity), "host": host}
	for key, value := range map[string]string{"app": t.App, "owner": t.Owner, "incident": t.Incident} {
		if value != "" {
			labels[key] = value
		}
	}
	m := Message{Count: 1, Host: host, Facts: []Told{t}, At: t.At}
	starts := t.Since
	if starts.IsZero() {
		starts = t.At
	}
	return alert{Labels: labels, StartsAt: starts.UTC(), Annotations: map[string]string{"summary": title(m), "description": text(m)}}
}

// nameOf is an alert's name: SyncdRolledBack. Drift is one alert from its begin to its
// end, unless it becomes a fight.
func nameOf(event string) string {
	if state(event) == driftOpened {
		return "SyncdDrift"
	}
	name := "Syncd"
	for _, word := range strings.Split(event, "-") {
		name += strings.ToUpper(word[:1]) + word[1:]
	}
	return name
}
