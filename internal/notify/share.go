package notify

import (
	"slices"
	"time"

	"syncd.io/syncd/internal/outbox"
)

// shareRhythm is the least time between two notes of how far was told.
const shareRhythm = 10 * time.Second

// share notes for the other agents how far each channel was told, once nothing waits
// for it any more: whoever takes over begins there. One that is dead holds none of the
// others back. It returns in how long to look again: soon, where something waits or
// could not be noted.
func (n *Notifier) share() time.Duration {
	if n.opts.Shared == nil {
		return rhythm
	}
	if since := time.Since(n.sharedAt); since >= 0 && since < shareRhythm { // a clock may be put back
		return shareRhythm - since
	}
	now, waits, err := n.reached()
	if err == nil && !now.equal(n.shared) {
		n.sharedAt = time.Now()
		err = n.opts.Shared.SetTold(now.All, now.To)
	}
	if err != nil {
		n.opts.Log.Debug("how far was told could not be noted", "error", err)
		return shareRhythm
	}
	n.shared = now
	if waits {
		return shareRhythm
	}
	return rhythm
}

// reached is how far each channel was told: to where the record was read, where
// nothing waits for it, and else as far as others know; waits says that something does.
func (n *Notifier) reached() (now marks, waits bool, err error) {
	var at uint64
	var groups []string
	if err := n.opts.Box.View(func(tx *outbox.Tx) error {
		at, _ = tx.Cursor(cursor)
		groups = tx.Keys(groupsShelf)
		return nil
	}); err != nil {
		return marks{}, false, err
	}
	now = marks{All: at, To: map[string]uint64{}}
	for _, name := range n.queued(sortedKeys(n.opts.Channels)) {
		l, err := n.opts.Box.Length(topicOf + name)
		if err != nil {
			return marks{}, false, err
		}
		now.To[name] = at
		if l.Items > 0 || slices.ContainsFunc(groups, func(g string) bool { return slices.Contains(n.membersOf(g), name) }) {
			now.To[name], waits = n.shared.of(name), true
		}
		now.All = min(now.All, now.To[name])
	}
	return now, waits, nil
}

// heard are those of the routes that lead to a channel which others have told of a fact.
// What was on record before anybody told anything, nobody has heard.
func (k *keeping) heard(routes map[string]time.Time, id uint64) map[string]time.Time {
	heard := map[string]time.Time{}
	for _, r := range k.routes {
		at, ok := routes[r.name]
		if ok && slices.ContainsFunc(r.To, func(to string) bool { return k.known.told(to, id) }) {
			heard[r.name] = at
		}
	}
	return heard
}

// doubtKnown asks the record whether what others told is so still. Where it is not, they
// have seen its end, too, which need not be on record.
func (k *keeping) doubtKnown() error {
	for of, doubtful := range k.doubts {
		open, err := k.incident(of)
		if err != nil {
			return err
		}
		if !doubtful || open == nil || !open.Known || k.isOpen(open.Last.Fact) {
			continue
		}
		open.Ended = true
		if err := k.tx.Put(incidentsShelf, of, *open); err != nil {
			return err
		}
	}
	return nil
}
