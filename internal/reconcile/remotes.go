package reconcile

import (
	"context"
	"fmt"

	"syncd.io/syncd/internal/source"
)

// Remotes is a Source that holds what it is asked to follow against what was accepted
// before, and may be had from several places.
type Remotes interface {
	// Remotes says what is known of each place.
	Remotes() []source.RemoteStatus
	// Accept makes a resolved commit the one that others are held against.
	Accept(commit string) error
	// Accepted gives the files of the commit that was accepted last, as far as they
	// are on this host.
	Accepted(ctx context.Context) (source.Snapshot, error)
	// AcceptRewrite accepts a commit that is refused, by its first digits, and keeps
	// whose word that was for the history of every app: both or none.
	AcceptRewrite(digits string, by source.Word) (commit string, err error)
}

// Remotes says what is known of each place that the repository is had from.
func (a *Agent) Remotes() []source.RemoteStatus {
	if remotes, ok := a.opts.Source.(Remotes); ok {
		return remotes.Remotes()
	}
	return nil
}

// accept keeps a revision that was looked at as the one that others are held against.
func (a *Agent) accept(commit string) error {
	if remotes, ok := a.opts.Source.(Remotes); ok {
		return remotes.Accept(commit)
	}
	return nil
}

// standBy goes by the revision that was accepted last where nothing newer can be seen
// and nothing else is known: an agent that was restarted repairs drift, too.
func (a *Agent) standBy(ctx context.Context) {
	remotes, ok := a.opts.Source.(Remotes)
	if !ok || a.catalog.Load() != nil {
		return
	}
	snapshot, err := remotes.Accepted(ctx)
	if err != nil {
		return // why nothing can be seen is told already
	}
	c, err := a.hostValues()
	if err != nil {
		return // as above
	}
	c.snapshot = snapshot
	c.doubt = a.vouch(ctx, c)
	if a.open(ctx, c) == nil && a.admit(c) == nil {
		a.catalog.Store(c)
	}
}

// tellRemotes reports trouble with a single remote when it begins or changes, and its
// end. Where none serves, the error of the whole says so. Who calls looks.
func (a *Agent) tellRemotes(failed error) {
	remotes, ok := a.opts.Source.(Remotes)
	if !ok {
		return
	}
	if a.told == nil {
		a.told = map[string]source.RemoteStatus{}
	}
	for _, now := range remotes.Remotes() {
		before := a.told[now.Name]
		a.told[now.Name] = now
		if failed != nil || before.State == now.State && (before.Head == now.Head || !now.State.Suspicious()) {
			continue
		}
		switch {
		case now.Reason != "":
			a.hear(Event{Text: fmt.Sprintf("remote %s is %s: %s", now.Name, now.State, now.Reason)})
		case now.State == source.RemoteServing && before.Reason != "":
			a.hear(Event{Text: fmt.Sprintf("remote %s serves again", now.Name)})
		}
	}
}
