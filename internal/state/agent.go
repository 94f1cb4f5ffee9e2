package state

import "go.etcd.io/bbolt"

// Meta returns what the agent remembers beside the apps, such as the commit that
// it saw last; the empty string where it remembers nothing under key.
func (s *Store) Meta(key string) (string, error) {
	var value string
	err := s.view("read "+key, func(tx *bbolt.Tx) error {
		return s.get(tx, agentBucket, []byte(key), &value)
	})
	return value, err
}

// SetMeta remembers value under key. A value that has not changed is not written.
func (s *Store) SetMeta(key, value string) error {
	if same, err := s.same(agentBucket, []byte(key), value); err != nil || same {
		return err
	}
	return s.update("save "+key, func(tx *bbolt.Tx) error {
		return s.put(tx, agentBucket, []byte(key), value)
	})
}
