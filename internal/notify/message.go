package notify

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// What is kept of a group of facts, and shown of it.
const (
	keptFacts  = 50
	shownFacts = 10
	fewFacts   = 3 // of which all is said
)

// Message is what a channel is told: one fact, or several of a moment. Programs get
// it as JSON.
type Message struct {
	// Key is the same in every attempt to deliver it.
	Key   string    `json:"key"`
	At    time.Time `json:"at"`
	Host  string    `json:"host"`
	Route string    `json:"route"`
	// Event and Severity are those of the gravest fact.
	Event    string   `json:"event"`
	Severity Severity `json:"severity"`
	// Title is one line; Text has several.
	Title string `json:"title"`
	Text  string `json:"text"`
	// Count is how many facts there were, Counts how many of each event; Facts are the
	// gravest fifty of them, those first.
	Count  int            `json:"count"`
	Counts map[string]int `json:"counts"`
	Facts  []Told         `json:"facts"`
}

// group is what a route collects.
type group struct {
	Since  time.Time      `json:"since"`
	Count  int            `json:"count"`
	Counts map[string]int `json:"counts"`
	Facts  []Told         `json:"facts"`
}

// add collects one fact more. Of what belongs to one thread the last is kept: it says
// since when.
func (g *group) add(t Told, now time.Time) {
	if g.Counts == nil {
		g.Since, g.Counts = now, map[string]int{}
	}
	if of := thread(t.Fact); of != "" {
		if i := slices.IndexFunc(g.Facts, func(old Told) bool { return thread(old.Fact) == of }); i >= 0 {
			old := g.Facts[i]
			if t.Reminder {
				return // it is told anyhow
			}
			g.Facts = slices.Delete(g.Facts, i, i+1)
			g.uncount(old.Event)
			t = t.after(old)
		}
	}
	g.Count++
	g.Counts[t.Event]++
	g.Facts = append(g.Facts, t)
	slices.SortStableFunc(g.Facts, func(a, b Told) int { return b.Severity.weight() - a.Severity.weight() })
	g.Facts = g.Facts[:min(keptFacts, len(g.Facts))]
}

// after is a fact that comes after another one of its thread, which nobody was told yet.
func (t Told) after(old Told) Told {
	switch {
	case len(t.Findings) == 0:
		t.Findings, t.More = old.Findings, old.More
	case state(t.Event) == state(old.Event) && !old.Reminder: // there is more of the same
		all := joined(old.Findings, t.Findings)
		for _, line := range t.Findings {
			if !slices.Contains(all, line) {
				t.More++
			}
		}
		t.Event, t.More, t.Findings = old.Event, old.More+t.More, all
	}
	if t.Since.IsZero() {
		t.Since = old.Since
	}
	return t
}

func (g *group) uncount(event string) {
	g.Count--
	if g.Counts[event]--; g.Counts[event] == 0 {
		delete(g.Counts, event)
	}
}

// message makes what is sent of a group, in the agent's own words.
func (g *group) message(r route, host string, now time.Time) Message {
	first := g.Facts[0]
	m := Message{
		Key: g.key(host, r.name), At: now.UTC().Truncate(time.Second), Host: host, Route: r.name,
		Event: first.Event, Severity: first.Severity, Count: g.Count, Counts: g.Counts, Facts: g.Facts,
	}
	m.Title, m.Text = title(m), text(m)
	return m
}

// key is made of what the message is about, so that the same facts told to the same
// route have the same, whatever happened to the outbox in between.
func (g *group) key(host, route string) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %q %d", host, route, g.Count)
	for _, t := range g.Facts {
		fmt.Fprintf(sum, " %d %d %v", t.ID, t.At.UnixNano(), t.Reminder)
		if t.Reminder {
			fmt.Fprintf(sum, " %d", g.Since.UnixNano())
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// title says in one line what happened where.
func title(m Message) string {
	if m.Count == 1 {
		return m.Host + ": " + headline(m.Facts[0])
	}
	return m.Host + ": " + counted(m.Counts)
}

// headline says what happened to whom.
func headline(t Told) string {
	says := kinds()[t.Event].says
	if t.Event == act {
		says = t.Kind + " by " + cmp.Or(t.Who, "somebody")
	}
	if t.Reminder {
		says = "still: " + says
	}
	return strings.TrimSpace(subject(t) + " " + says)
}

// subject is who or what it happened to: an app, or one of the places that the repository
// is had from.
func subject(t Told) string {
	name, ok := strings.CutPrefix(t.Incident, "source ")
	switch {
	case t.Kind != "source":
		return t.App
	case !ok || name == "repository":
		return "the repository"
	default:
		return "remote " + name
	}
}

// counted says how many of each event there were, the gravest first.
func counted(counts map[string]int) string {
	var events []string
	for event := range counts {
		events = append(events, event)
	}
	slices.SortFunc(events, func(a, b string) int {
		return cmp.Or(kinds()[b].severity.weight()-kinds()[a].severity.weight(), counts[b]-counts[a], strings.Compare(a, b))
	})
	for i, event := range events {
		events[i] = fmt.Sprintf("%d %s", counts[event], strings.ReplaceAll(event, "-", " "))
	}
	return strings.Join(events, ", ")
}
