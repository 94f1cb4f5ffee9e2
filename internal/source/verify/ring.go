package verify

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// Ring is a file of OpenPGP public keys.
type Ring struct {
	file string
	// raw are the packets. They are read anew for each signature: the library keeps in
	// a key what it found out at one time, and would go by it at another.
	raw []byte
	// primaries are the IDs of its keys, and of their subkeys -> that of the primary key.
	primaries map[uint64]uint64
}

const hintRing = "export the keys of those who may sign: gpg --export --armor NAME >FILE"

// ParseRing reads a file, in armour or not; its name is for errors. Errors: Blocked,
// also where it holds a private key.
func ParseRing(file string, data []byte) (Ring, error) {
	raw, err := unarmoured(data)
	var list openpgp.EntityList
	if err == nil {
		list, err = openpgp.ReadKeyRing(bytes.NewReader(raw))
	}
	if err == nil && len(list) == 0 {
		err = errors.New("there is no key in it")
	}
	ring := Ring{file: file, raw: raw, primaries: map[uint64]uint64{}}
	for _, e := range list {
		if e.PrivateKey != nil {
			err = errors.New("it has a private key in it, which does not belong on this host")
		}
		for _, sub := range e.Subkeys {
			if _, ok := ring.primaries[sub.PublicKey.KeyId]; !ok {
				ring.primaries[sub.PublicKey.KeyId] = e.PrimaryKey.KeyId
			}
		}
	}
	for _, e := range list { // what is a primary key itself is nobody's subkey
		ring.primaries[e.PrimaryKey.KeyId] = e.PrimaryKey.KeyId
	}
	if err != nil {
		return Ring{}, fault.Hint(fault.As(fault.Blocked, fmt.Errorf("read the OpenPGP keys in %s: %w", file, plainly(err))), hintRing)
	}
	return ring, nil
}

const ringBegin = "-----BEGIN PGP "

// unarmoured joins what a file's armours hold; a file without any is taken as it is.
func unarmoured(data []byte) ([]byte, error) {
	if !bytes.Contains(data, []byte(ringBegin)) {
		return data, nil
	}
	var out []byte
	for _, part := range strings.Split(string(data), ringBegin)[1:] {
		block, err := armor.Decode(strings.NewReader(ringBegin + part))
		if err != nil {
			return nil, errors.New("an armour in it cannot be read")
		}
		if block.Type != "PGP PUBLIC KEY BLOCK" {
			return nil, fmt.Errorf("it holds a %.40s, and no public keys", block.Type)
		}
		body, err := io.ReadAll(block.Body)
		if err != nil {
			return nil, err
		}
		out = append(out, body...)
	}
	return out, nil
}

// owner is whose key it is, with all that any of the files says of it: a key that one
// of them has as revoked is, whichever comes first. The error goes on after "is signed
// with the key …, ".
func (k Keys) owner(id uint64) (*openpgp.Entity, error) {
	primary, err := k.primary(id)
	if err != nil {
		return nil, err
	}
	var owner *openpgp.Entity
	for _, ring := range k.Rings {
		if _, ok := ring.primaries[primary]; !ok {
			continue
		}
		list, err := openpgp.ReadKeyRing(bytes.NewReader(ring.raw))
		if err != nil {
			return nil, fmt.Errorf("and %s cannot be read: %w", ring.file, plainly(err))
		}
		for _, e := range list {
			switch {
			case e.PrimaryKey.KeyId != primary:
			case owner == nil:
				owner = e
			case bytes.Equal(e.PrimaryKey.Fingerprint, owner.PrimaryKey.Fingerprint):
				join(owner, e)
			}
		}
	}
	return owner, nil
}

// primary is the ID of the primary key that a key belongs to, or is.
func (k Keys) primary(id uint64) (uint64, error) {
	files := make([]string, 0, len(k.Rings))
	for _, ring := range k.Rings {
		if primary, ok := ring.primaries[id]; ok {
			return primary, nil
		}
		files = append(files, ring.file)
	}
	return 0, fmt.Errorf("which %s does not hold", strings.Join(files, ", "))
}

// join adds to a key what another copy of it says: the library goes by what was said
// last, and by each revocation.
func join(key, other *openpgp.Entity) {
	key.Revocations = append(key.Revocations, other.Revocations...)
	key.DirectSignatures = append(key.DirectSignatures, other.DirectSignatures...)
	for name, id := range other.Identities {
		known, ok := key.Identities[name]
		if !ok {
			id.Primary, key.Identities[name] = key, id
			continue
		}
		known.SelfCertifications = append(known.SelfCertifications, id.SelfCertifications...)
		known.Revocations = append(known.Revocations, id.Revocations...)
	}
	for _, sub := range other.Subkeys {
		same := func(s openpgp.Subkey) bool {
			return bytes.Equal(s.PublicKey.Fingerprint, sub.PublicKey.Fingerprint)
		}
		at := slices.IndexFunc(key.Subkeys, same)
		if at < 0 {
			sub.Primary = key
			key.Subkeys = append(key.Subkeys, sub)
			continue
		}
		known := &key.Subkeys[at]
		known.Bindings = append(known.Bindings, sub.Bindings...)
		known.Revocations = append(known.Revocations, sub.Revocations...)
	}
}

// person is a key's user ID, of those that it signed itself; the primary one where
// it has several.
func person(e *openpgp.Entity) string {
	var names []string
	for name, id := range e.Identities {
		self, err := id.LatestValidSelfCertification(time.Time{}, nil)
		switch {
		case err != nil:
		case self.IsPrimaryId != nil && *self.IsPrimaryId:
			return resource.Harmless(name, maxName)
		default:
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "nobody by name"
	}
	return resource.Harmless(slices.Min(names), maxName)
}
