package state

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// identity derives a name for this state directory from its key: stable, public,
// and telling nothing about the key.
func identity(key []byte) (string, error) {
	id, err := hkdf.Key(sha256.New, key, nil, "syncd agent identity", 6)
	if err != nil {
		return "", fmt.Errorf("derive the agent's identity: %w", err)
	}
	return hex.EncodeToString(id), nil
}

// ID names this state directory, and with it the agent that works on it: what
// it puts carries this name, so that another agent does not take it for its own.
func (s *Store) ID() string { return s.id }
