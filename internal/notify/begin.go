package notify

import (
	"errors"
	"strings"
	"time"

	"syncd.io/syncd/internal/outbox"
)

// begin finds the place in the record where it has never been, and learns what is open.
func (n *Notifier) begin() error {
	known, at := false, uint64(0)
	if err := n.opts.Box.View(func(tx *outbox.Tx) error {
		at, known = tx.Cursor(cursor)
		for _, key := range tx.Keys(incidentsShelf) {
			if app, own := appOf(key); own {
				n.unwell[app] = true
			}
		}
		return nil
	}); err != nil {
		return err
	}
	start := n.opts.Start
	if start == nil {
		now, err := StartOf(n.opts.Journal, n.opts.Shared)
		if err != nil {
			return err
		}
		start = &now
	}
	n.shared = start.Known
	return n.opts.Box.Update(func(tx *outbox.Tx) error {
		if at > start.Last { // it was lost, and numbers its facts from the begin
			n.opts.Log.Warn("the record was begun anew: people are told of what comes next")
			clear(n.unwell)
			return errors.Join(tx.SetCursor(cursor, start.Last), tx.Delete(notesShelf, marksNote), tx.Delete(notesShelf, knownNote), forgetIncidents(tx), n.forget(tx))
		}
		if known && n.opts.Shared == nil {
			return n.forget(tx)
		}
		if err := tx.Put(notesShelf, marksNote, start.Known); err != nil {
			return err
		}
		if known {
			return n.forget(tx)
		}
		return tx.SetCursor(cursor, 0)
	})
}

// forgetIncidents drops all incidents: nobody will say that they ended.
func forgetIncidents(tx *outbox.Tx) error {
	for _, of := range tx.Keys(incidentsShelf) {
		if err := tx.Delete(incidentsShelf, of); err != nil {
			return err
		}
	}
	return nil
}

// forget drops what waits for channels and routes that are gone.
func (n *Notifier) forget(tx *outbox.Tx) error {
	for _, name := range tx.Keys(groupsShelf) {
		if len(n.membersOf(name)) == 0 {
			if err := tx.Delete(groupsShelf, name); err != nil {
				return err
			}
		}
	}
	for name := range n.channels {
		if err := endAlerts(tx, name, time.Now()); err != nil {
			return err
		}
	}
	return tx.Forget(func(topic string) bool {
		name, ours := strings.CutPrefix(topic, topicOf)
		_, there := n.channels[name]
		return !ours || there
	})
}
