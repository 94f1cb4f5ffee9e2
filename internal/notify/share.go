package notify

import (
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/outbox"
)

// shareRhythm is the least time between two notes of how far was told.
const shareRhythm = 30 * time.Second

// share notes for the other agents how far was told, once nothing of it waits any
// more: whoever takes over begins there. Where it cannot be noted, the next turn does.
func (n *Notifier) share() {
	if n.opts.Shared == nil || time.Since(n.sharedAt) < shareRhythm && !n.sharedAt.After(time.Now()) {
		return
	}
	var at uint64
	idle := true
	if err := n.opts.Box.View(func(tx *outbox.Tx) error {
		at, _ = tx.Cursor(cursor)
		idle = len(tx.Keys(groupsShelf)) == 0
		return nil
	}); err != nil || !idle || at == n.shared {
		return
	}
	for name, conf := range n.opts.Channels {
		if conf.Type == config.Alertmanager {
			continue
		}
		if l, err := n.opts.Box.Length(topicOf + name); err != nil || l.Items > 0 {
			return
		}
	}
	n.sharedAt = time.Now()
	if err := n.opts.Shared.SetTold(at); err != nil {
		n.opts.Log.Debug("how far was told could not be noted", "error", err)
		return
	}
	n.shared = at
}
