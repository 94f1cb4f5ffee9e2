// Package verify says who signed a commit or an annotated tag: over the bytes that
// Git's object name stands for, by the keys that a person listed. It is pure: bytes
// go in, a signer or an error comes out.
package verify

import (
	"fmt"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// The kinds of signatures.
const (
	SSH     = "ssh"
	OpenPGP = "openpgp"
)

// Signer is who signed, as far as a listed key says so.
type Signer struct {
	// Kind is SSH or OpenPGP.
	Kind string `json:"kind"`
	// Name is the principal of the allowed_signers line, the certificate's principal,
	// or the OpenPGP user ID. It is safe to show.
	Name string `json:"name"`
	// Key is the fingerprint: SHA256:… or the OpenPGP key's in upper-case hex.
	Key string `json:"key"`
	// Tag is the annotated tag that was signed; empty where the commit was.
	Tag string `json:"tag,omitempty"`
}

// String names signer and key for people; nobody is the empty string.
func (s Signer) String() string {
	if s.Key == "" {
		return ""
	}
	text := fmt.Sprintf("%s (%s %s)", s.Name, s.Kind, s.Key)
	if s.Tag != "" {
		text += ", tag " + s.Tag
	}
	return text
}

// Keys are whom to believe. What is left out vouches for nobody.
type Keys struct {
	Signers *Signers
	Revoked *Revoked
	Rings   []Ring
	// Hint is what to do about a key that is not listed; empty is a general word.
	Hint string
}

// maxName is how much of a signer's name is kept, in bytes.
const maxName = 200

// Verify says who signed o; now is for signatures that expire by themselves.
//
// SSH: a key has to be valid (valid-after, valid-before, a certificate's own dates)
// at the time that the committer's or tagger's line says, which is what git asks
// ssh-keygen; a revoked key never is, whenever it signed. OpenPGP: key and subkey
// have to be valid at the time that the signature says. The errors are Rejected,
// name object and key, and have a hint.
func (k Keys) Verify(o Object, now time.Time) (Signer, error) {
	signer, err := k.check(o, now)
	if err != nil {
		return Signer{}, k.advise(fault.As(fault.Rejected, fmt.Errorf("%s %w", o, err)))
	}
	signer.Name = resource.Harmless(signer.Name, maxName)
	if o.Kind == Tag {
		signer.Tag = resource.Harmless(o.Name, maxName)
	}
	return signer, nil
}

func (k Keys) check(o Object, now time.Time) (Signer, error) {
	armour := string(o.signature)
	if armour == "" {
		return Signer{}, fault.Hint(errUnsigned, "git commit -S signs; to sign the newest commit afterwards: git commit --amend --no-edit -S; what runs goes on running")
	}
	kind, err := kindOf(armour)
	if err != nil {
		return Signer{}, err
	}
	if kind == SSH {
		return k.overSSH(o, armour)
	}
	return k.overOpenPGP(o, armour, now)
}

const hintKeys = "have it signed with a listed key, or list this one where repo.verify says; what runs goes on running"

func (k Keys) advise(err error) error {
	if fault.Advice(err) != "" {
		return err
	}
	if k.Hint != "" {
		return fault.Hint(err, k.Hint)
	}
	return fault.Hint(err, hintKeys)
}
