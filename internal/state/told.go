package state

import "syncd.io/syncd/internal/source"

// agentNotes are what a cluster keeps of the agent itself: the revision that was
// accepted last, and up to which entry people were told.
type agentNotes struct {
	source.Anchor
	Told   *uint64           `json:"told,omitempty"`   // nil where nobody ever began
	ToldTo map[string]uint64 `json:"toldTo,omitempty"` // by channel
}

// Told returns the ID of the entry up to which people were told of what is on record,
// all and by channel; begun is false where nobody ever began to.
func (c *Cluster) Told() (id uint64, to map[string]uint64, begun bool, err error) {
	notes, err := c.notes()
	if err != nil || notes.Told == nil {
		return 0, nil, false, err
	}
	return *notes.Told, notes.ToldTo, true, nil
}

// SetTold remembers it. Errors are those of Save.
func (c *Cluster) SetTold(id uint64, to map[string]uint64) error {
	return c.editNotes("save who was told by ", func(notes *agentNotes) { notes.Told, notes.ToldTo = &id, to })
}

// notes reads what is kept of the agent itself.
func (c *Cluster) notes() (agentNotes, error) {
	var notes agentNotes
	return notes, reading("what is kept of it", "the agent", unpack(c.content(agentShelf).record, &notes))
}

// editNotes changes a part of what is kept of the agent itself.
func (c *Cluster) editNotes(doing string, change func(*agentNotes)) error {
	return c.edit(agentShelf, doing, func(next *content) error { return c.packNotes(next, change) })
}

// packNotes changes a part of the agent's notes within next.
func (c *Cluster) packNotes(next *content, change func(*agentNotes)) error {
	var notes agentNotes
	if err := unpack(next.record, &notes); err != nil {
		return reading("what is kept of it", "the agent", err)
	}
	change(&notes)
	packed, err := c.packer.pack(notes)
	next.record = packed
	return err
}
