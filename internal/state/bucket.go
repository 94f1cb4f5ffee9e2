package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
)

// errApp refuses a name that cannot be a key.
var errApp = errors.New("a name must be given, without NUL characters")

// place is where a value is stored; the value is sealed for it.
func place(bucket string, key []byte) string { return bucket + "\x00" + string(key) }

// put seals v as JSON and stores it.
func (s *Store) put(tx *bbolt.Tx, bucket string, key []byte, v any) error {
	plain, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	return tx.Bucket([]byte(bucket)).Put(key, s.seal.close(plain, place(bucket, key)))
}

// plain returns the JSON that is stored under key; nil where there is none.
func (s *Store) plain(tx *bbolt.Tx, bucket string, key []byte) ([]byte, error) {
	sealed := tx.Bucket([]byte(bucket)).Get(key)
	if sealed == nil {
		return nil, nil
	}
	return s.seal.open(sealed, place(bucket, key))
}

// get reads the value under key into v; where there is none, v stays as it is.
func (s *Store) get(tx *bbolt.Tx, bucket string, key []byte, v any) error {
	plain, err := s.plain(tx, bucket, key)
	if err != nil || plain == nil {
		return err
	}
	if err := json.Unmarshal(plain, v); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	return nil
}

// same tells whether v is what is stored under key already.
func (s *Store) same(bucket string, key []byte, v any) (bool, error) {
	wanted, err := json.Marshal(v)
	if err != nil {
		return false, fmt.Errorf("encode: %w", err)
	}
	var equal bool
	err = s.view("compare "+string(key), func(tx *bbolt.Tx) error {
		stored, err := s.plain(tx, bucket, key)
		equal = err == nil && stored != nil && bytes.Equal(stored, wanted)
		return nil // what cannot be read is not the same, and is written anew
	})
	return equal, err
}

// series is the part of a bucket that belongs to one app: keys APP NUL NUMBER,
// the number in eight bytes, so that they sort by age.
type series struct {
	bucket *bbolt.Bucket
	prefix []byte
}

func seriesOf(tx *bbolt.Tx, bucket, app string) series {
	return series{bucket: tx.Bucket([]byte(bucket)), prefix: append([]byte(app), 0)}
}

// newest calls visit with each key, the newest first, until it returns false.
func (s series) newest(visit func(key []byte) (bool, error)) error {
	c := s.bucket.Cursor()
	key, _ := c.Seek(append(bytes.Clone(s.prefix[:len(s.prefix)-1]), 1)) // the first key after the series
	if key == nil {
		key, _ = c.Last()
	} else {
		key, _ = c.Prev()
	}
	for ; bytes.HasPrefix(key, s.prefix); key, _ = c.Prev() {
		if more, err := visit(key); err != nil || !more {
			return err
		}
	}
	return nil
}

// trim removes all but the newest keep values.
func (s series) trim(keep int) error {
	var old [][]byte
	count := 0
	if err := s.newest(func(key []byte) (bool, error) {
		if count++; count > keep {
			old = append(old, bytes.Clone(key))
		}
		return true, nil
	}); err != nil {
		return err
	}
	for _, key := range old {
		if err := s.bucket.Delete(key); err != nil {
			return err
		}
	}
	return nil
}
