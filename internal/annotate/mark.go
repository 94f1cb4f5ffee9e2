package annotate

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"time"

	"syncd.io/syncd/internal/resource"
)

// Bounds of what a mark says, in bytes.
const (
	mostSubject = 120
	mostReason  = 300
)

// mark is the body of POST /api/annotations: times in milliseconds, as Grafana's
// documentation of its HTTP API has it.
type mark struct {
	Time    int64    `json:"time"`
	TimeEnd int64    `json:"timeEnd,omitempty"`
	Tags    []string `json:"tags"`
	Text    string   `json:"text"`
}

// query asks for what is marked at the same time, of the same app.
func (m mark) query() string {
	at := strconv.FormatInt(m.Time, 10)
	return url.Values{"from": {at}, "to": {strconv.FormatInt(max(m.Time, m.TimeEnd), 10)}, "tags": m.Tags, "type": {"annotation"}, "limit": {"100"}}.Encode()
}

// among tells whether an answer to that has the very mark.
func (m mark) among(answer []byte) bool {
	var all []mark
	if json.Unmarshal(answer, &all) != nil {
		return false
	}
	return slices.ContainsFunc(all, func(other mark) bool { return other.Time == m.Time && other.Text == m.Text })
}

// markOf is what is marked of a fact; false where that is nothing.
func markOf(f Fact, host string) (mark, bool) {
	what, verb := deedOf(f)
	if what == "" {
		return mark{}, false
	}
	m := mark{
		Time: f.At.UnixMilli(),
		Tags: []string{"syncd", what, "app:" + f.App, "host:" + host},
		Text: words(f.App, verb, f.Commit[:min(10, len(f.Commit))], quoted(f.Subject), by(f.Who, f.Author), "on", host),
	}
	if f.Took > time.Second {
		m.TimeEnd = f.At.Add(f.Took).UnixMilli()
	}
	if f.Reason != "" {
		m.Text += ": " + f.Reason
	}
	m.Text = resource.Harmless(m.Text, mostSubject+mostReason+200)
	return m, true
}

// deedOf is the tag of what was done, and how that reads; empty where nothing was that
// a graph should show: drift that is repaired changes nothing.
func deedOf(f Fact) (tag, verb string) {
	if f.Kind != "sync" {
		return "", ""
	}
	switch f.Outcome {
	case "applied":
		return "deploy", "deployed"
	case "degraded":
		if f.Changed { // else what is deployed for long has become so
			return "deploy", "deployed, not well:"
		}
	case "rolled back":
		return "rollback", "rolled back from"
	case "halted":
		return "halt", "halted at"
	}
	return "", ""
}

func quoted(subject string) string {
	if subject == "" {
		return ""
	}
	return "(" + resource.Harmless(subject, mostSubject) + ")"
}

func by(who, author string) string {
	switch {
	case who != "":
		return "by " + who
	case author != "":
		return "of " + author
	}
	return ""
}
