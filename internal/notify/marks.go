package notify

import (
	"maps"
	"slices"
	"strings"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/outbox"
)

// marks say up to which fact people were told: each channel, and all of them.
type marks struct {
	All uint64            `json:"all"`
	To  map[string]uint64 `json:"to,omitempty"`
}

// equal tells whether both say the same.
func (m marks) equal(o marks) bool { return m.All == o.All && maps.Equal(m.To, o.To) }

// of is the mark of a channel. One that was never told anything begins where the one
// is that was told most: it is new.
func (m marks) of(channel string) uint64 {
	if at, ok := m.To[channel]; ok {
		return at
	}
	most := m.All
	for _, at := range m.To {
		most = max(most, at)
	}
	return most
}

// told tells whether a channel is known to have been told of a fact.
func (m marks) told(channel string, id uint64) bool {
	at, ok := m.To[channel]
	return ok && id <= at
}

// least is the lowest mark of the channels that are there.
func (m marks) least(channels []string) uint64 {
	if len(channels) == 0 {
		return m.of("")
	}
	least := m.of(channels[0])
	for _, name := range channels[1:] {
		least = min(least, m.of(name))
	}
	return least
}

// queued are those of the channels that are told by messages, which wait in queues.
func (n *Notifier) queued(channels []string) []string {
	return slices.DeleteFunc(slices.Clone(channels), func(name string) bool { return n.opts.Channels[name].Type == config.Alertmanager })
}

// ownGroup is the name of what a route collects for one of its channels alone, which
// was told less than the others.
func ownGroup(route, channel string) string { return route + "\n" + channel }

// membersOf are the channels that a group is for; none where its route is no more, or
// leads there no more.
func (n *Notifier) membersOf(group string) []string {
	name, only, own := strings.Cut(group, "\n")
	i := slices.IndexFunc(n.routes, func(r route) bool { return r.name == name })
	switch {
	case i < 0, own && !slices.Contains(n.routes[i].To, only):
		return nil
	case own:
		return []string{only}
	}
	return n.routes[i].To
}

// groupsOf are the groups of a route to whom something may wait, the oldest first.
func groupsOf(r route) []string {
	var all []string
	for _, to := range r.To {
		all = append(all, ownGroup(r.name, to))
	}
	return append(all, r.name)
}

// readMarks are those of what was on record when the notifier began; of older outboxes
// they are one number.
func readMarks(tx *outbox.Tx) (m marks, err error) {
	ok, err := tx.Get(notesShelf, marksNote, &m)
	if !ok && err == nil {
		_, err = tx.Get(notesShelf, knownNote, &m.All)
	}
	return m, err
}
