package state

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"

	"syncd.io/syncd/internal/durable"
	"syncd.io/syncd/internal/fault"
)

// keySize is that of AES-256.
const keySize = 32

// sealVersion is the first byte of every sealed value.
const sealVersion = 1

// errSealed says that a value was sealed with another key, or was altered.
var errSealed = errors.New("it cannot be opened with this key")

// sealer encrypts and authenticates values with AES-256-GCM. Each is bound to
// its place, so that a value that was moved does not open.
type sealer struct{ aead cipher.AEAD }

func newSealer(key []byte) (sealer, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealer{}, fmt.Errorf("use key: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return sealer{}, fmt.Errorf("use key: %w", err)
	}
	return sealer{aead: aead}, nil
}

func (s sealer) close(plain []byte, place string) []byte {
	return s.aead.Seal([]byte{sealVersion}, nil, plain, []byte(place))
}

func (s sealer) open(sealed []byte, place string) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != sealVersion {
		return nil, errSealed
	}
	plain, err := s.aead.Open(nil, nil, sealed[1:], []byte(place))
	if err != nil {
		return nil, errSealed
	}
	return plain, nil
}

// loadKey reads the key, or makes one where there is none and nothing is sealed
// with it yet. A key of the wrong length is set aside; note tells. Errors:
// Blocked where the key is missing that the record was sealed with.
func (s *Store) loadKey() (key []byte, note string, err error) {
	path := filepath.Join(s.dir, "key")
	key, err = os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err = s.unsealed(); err == nil {
			key, err = makeKey(s.dir, path)
		}
		return key, "", err
	case err != nil:
		return nil, "", trouble(s.dir, "read key", err)
	case len(key) == keySize:
		return key, "", private(s.dir, path)
	}
	aside, err := copyAside(path, key)
	if err != nil {
		return nil, "", trouble(s.dir, "set damaged key aside", err)
	}
	note = fmt.Sprintf("the key had %d bytes and not %d: set aside as %s and made anew", len(key), keySize, filepath.Base(aside))
	key, err = makeKey(s.dir, path)
	return key, note, err
}

// unsealed refuses to go on without a key where the record has sealed values.
func (s *Store) unsealed() error {
	return s.view("look for sealed values", func(tx *bbolt.Tx) error {
		for _, bucket := range sealedBuckets() {
			if first, _ := tx.Bucket([]byte(bucket)).Cursor().First(); first != nil {
				return keyless(s.dir)
			}
		}
		return nil
	})
}

// keyless is the error for a record that has no key: with a new one all that is
// sealed would be lost, and who this agent is.
func keyless(dir string) error {
	err := fault.As(fault.Blocked, fmt.Errorf("the record in %s has no key: %s is missing", dir, filepath.Join(dir, "key")))
	return fault.Hint(err, "put the key back, or mount the disk that has it; if it is lost, begin anew by moving record.db away, then syncd adopt each app")
}

// makeKey writes a new key, which is whole or not there at all.
func makeKey(dir, path string) ([]byte, error) {
	key := make([]byte, keySize)
	if _, err := rand.Read(key); err != nil {
		return nil, trouble(dir, "make key", err)
	}
	if err := durable.Replace(path, key); err != nil {
		return nil, trouble(dir, "write key", err)
	}
	return key, nil
}

// private takes away what others were allowed, as a restored backup may do.
func private(dir, path string) error {
	info, err := os.Stat(path)
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = os.Chmod(path, 0o600)
	}
	if err != nil {
		return trouble(dir, "protect key", err)
	}
	return nil
}
