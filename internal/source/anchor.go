package source

import (
	"fmt"
	"slices"
	"time"

	"syncd.io/syncd/internal/source/remote"
)

// Anchor is the newest revision that was accepted. What is followed later is held
// against it: no remote brings a host back in time by itself.
type Anchor struct {
	// Ref says what was followed, in words: another one is no rewrite, but a person's
	// choice.
	Ref string `json:"ref"`
	// Found is the full name of the ref that named the commit: for a range of
	// versions, the tag.
	Found  string `json:"found,omitempty"`
	Commit string `json:"commit"`
	// Remotes are the URLs that were configured, without secrets.
	Remotes []string  `json:"remotes"`
	At      time.Time `json:"at"`
}

// Anchors keeps the anchor across restarts.
type Anchors interface {
	// Anchor returns what was kept last; one without a commit where there is none.
	Anchor() (Anchor, error)
	SetAnchor(a Anchor) error
	// Overrule is SetAnchor against what was kept, on a person's word: the anchor and
	// the word are kept, or neither.
	Overrule(a Anchor, by Word) error
}

// Word is a person's word on a revision that is refused; it is given when the anchor
// says.
type Word struct{ Who, Reason string }

// offer is a head that a remote names, and how it stands to the anchor.
type offer struct {
	want     remote.Want
	found    remote.Found
	relation Relation // where the verdict needs it
	// rewrite tells that a rewritten history is followed, too; unproven, that so is what
	// cannot be told from an older one.
	rewrite, unproven bool
}

// concerns tells whether the anchor is one for what is followed now.
func (a Anchor) concerns(want remote.Want) bool {
	return a.Commit != "" && a.Ref == want.String() && want.Commit == ""
}

// elsewhere tells whether none of the remotes is one that the anchor came from: a
// person named another repository.
func (a Anchor) elsewhere(remotes []string) bool {
	return !slices.ContainsFunc(remotes, func(name string) bool { return slices.Contains(a.Remotes, name) })
}

// comparable tells whether the verdict needs the relation of the two commits: not of
// the same one, nor of versions, which say themselves which is newer.
func (a Anchor) comparable(o offer) bool {
	return a.Commit != "" && o.found.Commit != a.Commit && o.want.Semver == "" && (!o.want.IsTag() || o.rewrite)
}

// judge says what becomes of an offer. It is Serving, Stale, Diverged, Moved or
// Unproven.
func (a Anchor) judge(o offer) RemoteState {
	switch {
	case a.Commit == "", o.found.Commit == a.Commit:
		return RemoteServing
	case o.want.Semver != "":
		return a.judgeVersion(o)
	case o.want.IsTag() && !o.rewrite:
		return RemoteMoved
	}
	switch o.relation {
	case Same, Ahead:
		return RemoteServing
	case Behind:
		return RemoteStale
	}
	switch {
	case o.unproven, o.rewrite && o.relation == Diverged:
		return RemoteServing
	case o.relation == Diverged:
		return RemoteDiverged
	}
	return RemoteUnproven
}

// judgeVersion holds tags against each other that are in the followed range: a lower
// one than before is an old one, and the same one that names another commit was moved.
func (a Anchor) judgeVersion(o offer) RemoteState {
	if a.Found == "" { // what an earlier version of syncd kept
		return RemoteServing
	}
	order, err := remote.CompareVersions(a.Found, o.found.Ref)
	switch {
	case err != nil:
		return RemoteUnproven
	case order > 0:
		return RemoteServing
	case order < 0:
		return RemoteStale
	case o.unproven:
		return RemoteServing
	}
	return RemoteMoved
}

// errOf says why an offer is not followed.
func (a Anchor) errOf(state RemoteState, o offer) error {
	is, was := shortOf(o.found.Commit), shortOf(a.Commit)
	switch state {
	case RemoteStale:
		if o.want.Semver != "" {
			return fmt.Errorf("stale: the highest tag in %s is %s, below %s, which was accepted before", o.want.Semver, remote.Short(o.found.Ref), remote.Short(a.Found))
		}
		return fmt.Errorf("stale: %s is at %s, which is older than %s, which was accepted before", o.want, is, was)
	case RemoteMoved:
		return fmt.Errorf("tag %s was moved: it named %s, and names %s now", remote.Short(o.found.Ref), was, is)
	case RemoteUnproven:
		return fmt.Errorf("%s is at %s, and whether that descends from %s, which was accepted before, cannot be told: its history may have been rewritten, or somebody else answers", o.want, is, was)
	}
	return fmt.Errorf("%s is at %s, which does not descend from %s, which was accepted before: its history was rewritten (a force-push), or somebody else answers", o.want, is, was)
}

func shortOf(commit string) string { return Revision{Commit: commit}.Short() }
