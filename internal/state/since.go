package state

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"go.etcd.io/bbolt"
)

// Since returns the entries of all apps, and of the agent itself, with a greater ID
// than id, the oldest first; limit 0 is all. Whoever goes on from the last one
// misses none but those that a history's bounds have removed.
func (s *Store) Since(id uint64, limit int) ([]Entry, error) {
	var entries []Entry
	err := s.view("read the history", func(tx *bbolt.Tx) error {
		for _, key := range firstKeys(keysSince(tx, id), limit) {
			var e Entry
			if err := s.get(tx, historyBucket, key, &e); err != nil {
				return err
			}
			entries = append(entries, e)
		}
		return nil
	})
	return entries, err
}

// Last returns the ID of the newest entry that was ever written; zero where there was
// none.
func (s *Store) Last() (last uint64, err error) {
	err = s.view("read the history", func(tx *bbolt.Tx) error {
		last = tx.Bucket([]byte(historyBucket)).Sequence()
		return nil
	})
	return last, err
}

// keysSince returns the keys of all entries with a greater ID: of each app's only
// the end is looked at.
func keysSince(tx *bbolt.Tx, id uint64) [][]byte {
	var keys [][]byte
	c := tx.Bucket([]byte(historyBucket)).Cursor()
	for key, _ := c.First(); key != nil; {
		prefix := bytes.Clone(key[:len(key)-8])
		for key, _ = c.Seek(binary.BigEndian.AppendUint64(bytes.Clone(prefix), id+1)); bytes.HasPrefix(key, prefix); key, _ = c.Next() {
			keys = append(keys, bytes.Clone(key))
		}
		key, _ = c.Seek(append(prefix[:len(prefix)-1], 1)) // the first one after the app's
	}
	return keys
}

func firstKeys(keys [][]byte, limit int) [][]byte {
	number := func(key []byte) uint64 { return binary.BigEndian.Uint64(key[len(key)-8:]) }
	slices.SortFunc(keys, func(a, b []byte) int { return cmp.Compare(number(a), number(b)) })
	if limit > 0 {
		keys = keys[:min(limit, len(keys))]
	}
	return keys
}

// Since returns the entries of all apps, and of the agent itself, with a greater ID
// than id, the oldest first; limit 0 is all. What is being written has to be there
// before what comes after it is given: else who goes on from that would miss it.
func (c *Cluster) Since(id uint64, limit int) ([]Entry, error) {
	histories, before := c.histories(id)
	byID := func(a, b Entry) int { return cmp.Compare(a.ID, b.ID) }
	var out []Entry
	for app, packed := range histories {
		var entries []Entry
		if err := unpack(packed, &entries); err != nil {
			return nil, reading("history", app, err)
		}
		for _, e := range entries {
			if e.ID > id && e.ID < before {
				out = append(out, e)
			}
		}
		if limit > 0 && len(out) > 2*limit+maxHistory { // it keeps no more than it needs
			slices.SortFunc(out, byID)
			clear(out[limit:])
			out = out[:limit]
		}
	}
	slices.SortFunc(out, byID)
	if limit > 0 {
		out = out[:min(limit, len(out))]
	}
	return out, nil
}

// Last returns the ID of the newest entry; zero where there is none. What is being
// written counts.
func (c *Cluster) Last() (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last, nil
}

// histories returns those that have an entry with a greater ID, and the first ID
// that may still come.
func (c *Cluster) histories(id uint64) (packed map[string][]byte, before uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	packed, before = map[string][]byte{}, c.last+1
	for app, s := range c.shelves {
		if s.now.label.Last > id {
			packed[app] = s.now.history
		}
	}
	for _, first := range c.flying {
		before = min(before, first)
	}
	return packed, before
}

// Append adds e to the history of its app, or of the agent itself, and returns it
// with its ID.
func (c *Cluster) Append(e Entry) (Entry, error) {
	app := cmp.Or(e.App, agentShelf) // everyApp is empty
	err := c.edit(app, "append to history of ", func(next *content) (err error) {
		e, err = c.append(next, app, []Entry{e})
		return err
	})
	return e, err
}

// append numbers entries, ascending over all apps, and adds them. Until landed, they
// are on their way.
func (c *Cluster) append(next *content, app string, entries []Entry) (last Entry, err error) {
	fresh := slices.Clone(entries)
	c.mu.Lock()
	for i := range fresh {
		c.last++
		fresh[i].ID = c.last
		if c.flying[app] == 0 {
			c.flying[app] = c.last
		}
	}
	c.mu.Unlock()
	if len(fresh) > 0 {
		last = fresh[len(fresh)-1]
	}
	return last, next.append(&c.packer, fresh)
}

// landed tells that nothing of the app is being written any more, unless nobody
// knows what the last write came to: that one may be there after all.
func (c *Cluster) landed(app string, s *shelf) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(s.unsure) == 0 {
		delete(c.flying, app)
	}
}
