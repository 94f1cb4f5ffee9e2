package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"go.etcd.io/bbolt"
)

// findings are what an audit found: the keys of values that do not open, by bucket, and
// by app the key of the newest value that was set aside and opens again.
type findings struct {
	lost map[string][][]byte
	back map[string][]byte
}

// audit sets aside every record that cannot be opened (the key was lost or
// replaced) and drops what else cannot: with an unreadable record an app could
// never be worked on again, without one it is learnt afresh. What was set aside and
// opens is put back where the app has no record that does.
func (s *Store) audit() error {
	found := findings{lost: map[string][][]byte{}, back: map[string][]byte{}}
	err := s.view("check record", func(tx *bbolt.Tx) error {
		for _, bucket := range sealedBuckets() {
			if err := s.unreadable(tx, bucket, found); err != nil {
				return err
			}
		}
		return s.readable(tx, found)
	})
	if err != nil || len(found.lost) == 0 && len(found.back) == 0 {
		return err
	}
	if err := s.update("set unreadable records aside", func(tx *bbolt.Tx) error { return found.heal(tx) }); err != nil {
		return err
	}
	s.tell(found)
	return nil
}

// unreadable collects the keys of the values that do not open.
func (s *Store) unreadable(tx *bbolt.Tx, bucket string, found findings) error {
	return tx.Bucket([]byte(bucket)).ForEach(func(key, sealed []byte) error {
		if _, err := s.seal.open(sealed, place(bucket, key)); err != nil {
			found.lost[bucket] = append(found.lost[bucket], bytes.Clone(key))
		}
		return nil
	})
}

// readable collects the keys of what was set aside and opens: it has been kept for the
// day on which its key is found. Of one app the newest comes last.
func (s *Store) readable(tx *bbolt.Tx, found findings) error {
	missing := map[string]bool{}
	for _, app := range found.lost[recordsBucket] {
		missing[string(app)] = true
	}
	return tx.Bucket([]byte(brokenBucket)).ForEach(func(key, sealed []byte) error {
		app, _, _ := bytes.Cut(key, []byte{0}) // before there were several of one app, its name was the key
		if tx.Bucket([]byte(recordsBucket)).Get(app) != nil && !missing[string(app)] {
			return nil
		}
		if _, err := s.seal.open(sealed, place(recordsBucket, app)); err == nil {
			found.back[string(app)] = bytes.Clone(key)
		}
		return nil
	})
}

// heal takes out what opens, before others are set aside, and puts it back when they
// are.
func (f findings) heal(tx *bbolt.Tx) error {
	broken, whole := tx.Bucket([]byte(brokenBucket)), map[string][]byte{}
	for app, key := range f.back {
		whole[app] = bytes.Clone(broken.Get(key))
		if err := broken.Delete(key); err != nil {
			return err
		}
	}
	for bucket, keys := range f.lost {
		for _, key := range keys {
			if err := drop(tx, bucket, key); err != nil {
				return err
			}
		}
	}
	for app, sealed := range whole {
		if err := tx.Bucket([]byte(recordsBucket)).Put([]byte(app), sealed); err != nil {
			return err
		}
	}
	return nil
}

// drop removes an unreadable value. Of an app's records the newest are kept, still
// sealed.
func drop(tx *bbolt.Tx, bucket string, key []byte) error {
	b := tx.Bucket([]byte(bucket))
	if bucket == recordsBucket {
		aside := seriesOf(tx, brokenBucket, string(key))
		number, err := aside.bucket.NextSequence()
		if err == nil {
			err = aside.bucket.Put(binary.BigEndian.AppendUint64(bytes.Clone(aside.prefix), number), bytes.Clone(b.Get(key)))
		}
		if err == nil {
			err = aside.trim(keepBroken)
		}
		if err != nil {
			return err
		}
	}
	return b.Delete(key)
}

func (s *Store) tell(found findings) {
	for _, app := range found.lost[recordsBucket] {
		if found.back[string(app)] == nil {
			s.note(fmt.Sprintf("the record of %.60q: %v: it is set aside, and the app is treated as new; there is no way back until a revision is good again", app, errSealed))
		}
	}
	for _, app := range slices.Sorted(maps.Keys(found.back)) {
		s.note(fmt.Sprintf("the record of %.60q: it opens with this key, and is put back", app))
	}
	if n := len(found.lost[historyBucket]) + len(found.lost[logsBucket]) + len(found.lost[agentBucket]); n > 0 {
		s.note(fmt.Sprintf("%d values of history, logs and agent could not be opened with this key and are gone", n))
	}
}
