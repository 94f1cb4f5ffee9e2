package notify

import (
	"cmp"
	"errors"
	"slices"
	"time"
)

// Told is a fact with what it is to people.
type Told struct {
	Fact
	Event    string   `json:"event"`
	Severity Severity `json:"severity"`
	// Since is when what it is about began; Reminder that it was told before, and is
	// still so.
	Since    time.Time `json:"since,omitzero"`
	Reminder bool      `json:"reminder,omitempty"`
}

// toldOf is what a fact is to people; false where it is nothing.
func toldOf(f Fact) (Told, bool) {
	event, ok := eventOf(f)
	return Told{Fact: f.clean(), Event: event, Severity: kinds()[event].severity}, ok
}

// incident is something that is not well, from its begin to its end.
type incident struct {
	Since time.Time `json:"since"`
	Last  Told      `json:"last"`
	// Routes are those that were told, and when they were last.
	Routes map[string]time.Time `json:"routes,omitempty"`
	// Known tells that it was on record where nobody had been told yet, or others had told,
	// and that no pass has said since that it is so: its end, too, may be known, which is
	// not on record. Ended tells that it is: the record said that it was so no more.
	Known bool `json:"known,omitempty"`
	Ended bool `json:"ended,omitempty"`
	// Over tells that a pass has found something else, which is no trouble, and that it
	// is not well either: nobody is reminded, and what comes next is told.
	Over bool `json:"over,omitempty"`
	// Seen is when a pass said last, about once a day, or the record, that it is so.
	Seen time.Time `json:"seen,omitzero"`
}

// lastSign is when it was last said, seen, told or reminded of.
func (i *incident) lastSign() time.Time {
	last := i.Last.At
	if i.Seen.After(last) {
		last = i.Seen
	}
	for _, at := range i.Routes {
		if at.After(last) {
			last = at
		}
	}
	return last
}

// news is what a fact is beside what is open.
type news uint8

const (
	none    news = iota // it was said before
	plain               // it stands for itself
	opening             // an incident begins, or becomes another
	closing             // it ends
)

// judge says what a fact is beside the incident of its thread; open is nil where there
// is none. One incident is told once: of what goes on as it was there is no news.
func judge(open *incident, t Told) news {
	switch phase := kinds()[t.Event].phase; {
	case phase == aside, phase == end && open == nil:
		return plain
	case phase == end:
		return closing
	case open == nil || open.Over:
		return opening
	}
	last := open.Last
	if last.Event == "rolled-back" && t.Event == "held" { // which is how it stands since
		return none
	}
	if state(last.Event) == state(t.Event) && saysAs(last.Fact, t.Fact) && last.Revision.Commit == t.Revision.Commit && within(t.Findings, last.Findings) {
		return none
	}
	return opening
}

// saysAs tells whether two facts say the same; an older one has the reason alone.
func saysAs(a, b Fact) bool {
	return a.Reason == b.Reason || cmp.Or(a.Says, a.Reason) == cmp.Or(b.Says, b.Reason)
}

// state is what an event leaves: drift that opened and drift that changed are one.
func state(event string) string {
	if event == "drift-changed" {
		return driftOpened
	}
	return event
}

// joined are both lists of lines, each line once, as many as are kept.
func joined(old, more []string) []string {
	all := slices.Clone(old)
	for _, line := range more {
		if !slices.Contains(all, line) && len(all) < findingsBound {
			all = append(all, line)
		}
	}
	return all
}

// within tells whether no line of lines is new.
func within(lines, known []string) bool {
	return !slices.ContainsFunc(lines, func(line string) bool { return !slices.Contains(known, line) })
}

// due are the routes that want to be reminded of the incident by now, and when the
// next one will; after is how long each of them waits, 0 for never. A clock that was
// put back reminds at once.
func (i *incident) due(now time.Time, after map[string]time.Duration) (routes []string, next time.Time) {
	if !kinds()[i.Last.Event].nags || i.Over || i.Known {
		return nil, time.Time{}
	}
	for route, at := range i.Routes {
		wait, ok := after[route]
		if !ok || wait == 0 {
			continue
		}
		if again := at.Add(wait); !again.After(now) || at.After(now.Add(wait)) {
			routes = append(routes, route)
		} else {
			next = earliest(next, again)
		}
	}
	slices.Sort(routes)
	return routes, next
}

// earliest is the earlier of two times, of which zero is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func (k *keeping) incident(of string) (*incident, error) {
	if of == "" {
		return nil, nil
	}
	var open incident
	ok, err := k.tx.Get(incidentsShelf, of, &open)
	if !ok || err != nil {
		return nil, err
	}
	return &open, nil
}

// open keeps an incident, one that is there already as what it has become.
func (k *keeping) open(of string, was *incident, i incident) error {
	if was != nil && !was.Over {
		i.Since = was.Since
		if state(was.Last.Event) == state(i.Last.Event) { // it says only what joined
			i.Last.Findings = joined(was.Last.Findings, i.Last.Findings)
		}
	}
	if app, own := appOf(of); own {
		k.ill[app] = true
	}
	return k.tx.Put(incidentsShelf, of, i)
}

// close forgets an incident; its alerts end with it.
func (k *keeping) close(of string) error {
	if app, own := appOf(of); own {
		k.ill[app] = false
	}
	return errors.Join(k.tx.Delete(incidentsShelf, of), k.endAlertsOf(of))
}
