package state

import (
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"

	"syncd.io/syncd/internal/source"
)

// anchorKey is what the accepted revision is remembered under.
const anchorKey = "anchor"

// Anchor returns the revision that was accepted last; one without a commit where
// there is none. One that cannot be read is none: the next one that is seen is
// accepted, as on a new host.
func (s *Store) Anchor() (source.Anchor, error) {
	text, err := s.Meta(anchorKey)
	return anchorOf(text), err
}

// SetAnchor remembers the revision that was accepted last.
func (s *Store) SetAnchor(a source.Anchor) error {
	text, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("encode the accepted revision: %w", err)
	}
	return s.SetMeta(anchorKey, string(text))
}

// Overrule remembers the revision that a person accepted, and adds that to the history
// of every app: both or none.
func (s *Store) Overrule(a source.Anchor, by source.Word) error {
	text, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("encode the accepted revision: %w", err)
	}
	return s.update("save what was accepted by "+by.Who, func(tx *bbolt.Tx) error {
		if err := s.put(tx, agentBucket, []byte(anchorKey), string(text)); err != nil {
			return err
		}
		e := accepted(a, by)
		return s.append(tx, &e)
	})
}

// accepted is the line of history that a person's word makes.
func accepted(a source.Anchor, by source.Word) Entry {
	return Entry{App: everyApp, At: a.At, Kind: "accept", Who: by.Who, Outcome: "accept", Revision: source.Revision{Commit: a.Commit}, Reason: by.Reason}
}

// Anchor returns the revision that was accepted last; one without a commit where
// there is none.
func (c *Cluster) Anchor() (source.Anchor, error) {
	notes, err := c.notes()
	return notes.Anchor, err
}

// SetAnchor remembers the revision that was accepted last. Errors are those of Save.
func (c *Cluster) SetAnchor(a source.Anchor) error {
	return c.editNotes("save what was accepted by ", func(notes *agentNotes) { notes.Anchor = a })
}

// Overrule remembers the revision that a person accepted, and adds that to the history
// of every app, in one write. Errors are those of Save.
func (c *Cluster) Overrule(a source.Anchor, by source.Word) error {
	return c.edit(agentShelf, "save what was accepted by ", func(next *content) error {
		if err := c.packNotes(next, func(notes *agentNotes) { notes.Anchor = a }); err != nil {
			return err
		}
		_, err := c.append(next, agentShelf, []Entry{accepted(a, by)})
		return err
	})
}

func anchorOf(text string) source.Anchor {
	var a source.Anchor
	if json.Unmarshal([]byte(text), &a) != nil {
		return source.Anchor{}
	}
	return a
}
