package notify

import (
	"maps"
	"slices"
	"time"

	"syncd.io/syncd/internal/outbox"
)

// shareRhythm is the least time between two notes of how far was told.
const shareRhythm = 30 * time.Second

// share notes for the other agents how far each channel was told, once nothing waits
// for it any more: whoever takes over begins there. One that is dead holds none of the
// others back. Where it cannot be noted, the next turn does.
func (n *Notifier) share() {
	if n.opts.Shared == nil || time.Since(n.sharedAt) < shareRhythm && !n.sharedAt.After(time.Now()) {
		return
	}
	now, err := n.reached()
	if err != nil || now.All == n.shared.All && maps.Equal(now.To, n.shared.To) {
		return
	}
	n.sharedAt = time.Now()
	if err := n.opts.Shared.SetTold(now.All, now.To); err != nil {
		n.opts.Log.Debug("how far was told could not be noted", "error", err)
		return
	}
	n.shared = now
}

// reached is how far each channel was told: to where the record was read, where
// nothing waits for it, and else as far as others know.
func (n *Notifier) reached() (marks, error) {
	var at uint64
	var groups []string
	if err := n.opts.Box.View(func(tx *outbox.Tx) error {
		at, _ = tx.Cursor(cursor)
		groups = tx.Keys(groupsShelf)
		return nil
	}); err != nil {
		return marks{}, err
	}
	now := marks{All: at, To: map[string]uint64{}}
	for _, name := range n.queued(sortedKeys(n.opts.Channels)) {
		l, err := n.opts.Box.Length(topicOf + name)
		if err != nil {
			return marks{}, err
		}
		now.To[name] = at
		if l.Items > 0 || slices.ContainsFunc(groups, func(g string) bool { return slices.Contains(n.membersOf(g), name) }) {
			now.To[name] = n.shared.of(name)
		}
		now.All = min(now.All, now.To[name])
	}
	return now, nil
}
