// Package forge tells forges how their commits fare on this host, as commit statuses:
// pending while a revision is on its way, success once all apps that it concerns are
// good, failure with the reason. What is told is drawn from what is on record and from
// how the apps stand. Only the newest state of a commit is sent, once; it waits in an
// outbox until the forge took it, and nothing here is ever in the way of a pass.
package forge

import "time"

// Fact is a line of the record about one app and one commit. Whoever makes it masked
// its secrets.
type Fact struct {
	// ID ascends over all facts.
	ID  uint64
	At  time.Time
	App string
	// Kind and Outcome are the record's words.
	Kind, Outcome string
	Commit        string
	Reason        string
	// Says is the reason without what moves while it stays as it is. Empty is the reason
	// itself.
	Says string
}

// Journal is what is on record.
type Journal interface {
	// Since returns facts of greater IDs, the oldest first, at most limit.
	Since(id uint64, limit int) ([]Fact, error)
}

// Sight is how the apps stand to the revision that the repository asks for.
type Sight struct {
	// Commit is that revision's; empty where it was not seen yet.
	Commit string
	Apps   []App
	// Refused are revisions that are not followed, by commit, with the reason.
	Refused map[string]string
}

// App is how one app stands, as far as its last pass found.
type App struct {
	Name string
	// Judged is the commit that the last pass was about, Outcome and Reason what it came
	// to; Says is as a fact's.
	Judged, Outcome, Reason, Says string
	// Waits tells that only a window, a consent or another app stands in the way, Busy
	// that it is being changed at the moment.
	Waits, Busy bool
	// Inputs is another value where the revision has other files for the app.
	Inputs string
}

// Host tells how things stand, without asking anybody.
type Host interface {
	Sight() Sight
}
