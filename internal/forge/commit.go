package forge

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// commit is what is known of one commit.
type commit struct {
	Seen time.Time       `json:"seen"`
	Apps map[string]note `json:"apps,omitempty"`
	// Refused is why it is not followed; empty where it is, or was never looked at.
	Refused string `json:"refused,omitempty"`
	// Told is what was queued last, by destination and name of the status.
	Told map[string]told `json:"told,omitempty"`
}

// note is how one app stands to a commit.
type note struct {
	// Concerned tells that the commit changes something for the app.
	Concerned bool   `json:"concerned,omitempty"`
	Phase     phase  `json:"phase,omitempty"`
	Reason    string `json:"reason,omitempty"`
	// Says is the reason without what moves while it stays as it is. Empty is the reason
	// itself.
	Says string `json:"says,omitempty"`
	// Gone tells, of one that is bad, that what was live of it before is so no more.
	Gone bool `json:"gone,omitempty"`
	// Begun tells that it was begun to be applied, and no end of that was seen yet,
	// Moving that it was seen to be under way.
	Begun  bool `json:"begun,omitempty"`
	Moving bool `json:"moving,omitempty"`
}

func (n note) reason() string { return n.Reason }

// says is what is held against what it said before.
func (n note) says() string { return cmp.Or(n.Says, n.Reason) }

// told is a status as far as the next one is held against it.
type told struct {
	State State  `json:"state"`
	Says  string `json:"says"`
}

// origin says with which commit the files of an app became what they are.
type origin struct {
	Inputs string `json:"inputs"`
	Commit string `json:"commit"`
}

func newCommit(now time.Time) *commit {
	return &commit{Seen: now, Apps: map[string]note{}, Told: map[string]told{}}
}

// clone shares nothing with c.
func (c *commit) clone() *commit {
	out := *c
	out.Apps, out.Told = maps.Clone(c.Apps), maps.Clone(c.Told)
	if out.Apps == nil {
		out.Apps = map[string]note{}
	}
	if out.Told == nil {
		out.Told = map[string]told{}
	}
	return &out
}

// take takes what the record says.
func (c *commit) take(f Fact) {
	n := c.Apps[f.App]
	p := phaseOf(f.Outcome, false)
	switch f.Outcome {
	case "started", "applied", "rolled back":
		n.Concerned = true
	}
	switch p {
	case unseen:
		return
	case stuck: // whether it only waits shows how the app stands
		p = waiting
	}
	n.Phase, n.Reason, n.Says, n.Gone, n.Begun, n.Moving = p, f.Reason, f.Says, takesBack(f.Outcome), p == running, false
	c.Apps[f.App] = n
}

// see takes how an app of the wanted commit, at, stands. What was begun is under way
// as long as the app is busy: until then the verdict is an older one. What it is busy
// with else, such as a repair, is none of the commit's business.
func (c *commit) see(at string, a App, concerned bool) {
	n := c.Apps[a.Name]
	n.Concerned = n.Concerned || concerned
	switch {
	case n.Begun && a.Busy:
		n.Phase, n.Reason, n.Says, n.Moving = running, "", "", true
	case a.Judged != at:
		if !n.Phase.over() {
			n.Phase, n.Reason, n.Says = unseen, "", ""
		}
	default:
		n.Begun, n.Moving = n.Begun && !n.Moving, false
		n.Phase, n.Reason, n.Says, n.Gone = phaseOf(a.Outcome, a.Waits), a.Reason, a.Says, takesBack(a.Outcome)
	}
	c.Apps[a.Name] = n
}

// gone tells whether one of the failed apps is one that it was taken back from.
func (c *commit) gone(failed []string) bool {
	return slices.ContainsFunc(failed, func(app string) bool { return c.Apps[app].Phase == bad && c.Apps[app].Gone })
}

// in are the concerned apps in one of the phases, in order.
func (c *commit) in(phases ...phase) []string {
	var names []string
	for name, n := range c.Apps {
		if n.Concerned && slices.Contains(phases, n.Phase) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
