package verify

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"syncd.io/syncd/internal/fault"
)

// overOpenPGP is the check of an OpenPGP signature.
func (k Keys) overOpenPGP(o Object, armour string, now time.Time) (Signer, error) {
	sig, raw, err := signature(armour)
	if err != nil {
		return Signer{}, fmt.Errorf("has an OpenPGP signature that cannot be taken: %w", err)
	}
	key := issuer(sig)
	if sig.SigType != packet.SigTypeBinary {
		return Signer{}, fmt.Errorf("has an OpenPGP signature of the key %s that is of another kind than git makes", key)
	}
	if weak(sig.Hash) {
		return Signer{}, fmt.Errorf("is signed with the OpenPGP key %s over %s: too weak", key, sig.Hash)
	}
	if len(k.Rings) == 0 {
		return Signer{}, fault.Hint(fmt.Errorf("is signed with the OpenPGP key %s, and repo.verify names no keys for OpenPGP", key), "set repo.verify.openpgp.keyringFiles")
	}
	owner, err := k.owner(*sig.IssuerKeyId)
	if err != nil {
		return Signer{}, fmt.Errorf("is signed with the OpenPGP key %s, %w", key, err)
	}
	config := &packet.Config{Time: func() time.Time { return now }, RejectMessageHashAlgorithms: weakHashes()}
	_, _, err = openpgp.VerifyDetachedSignature(openpgp.EntityList{owner}, bytes.NewReader(o.payload), bytes.NewReader(raw), config)
	if err != nil {
		return Signer{}, fmt.Errorf("is signed with the OpenPGP key %s of %s, %w", key, person(owner), because(err, owner, sig, config))
	}
	return Signer{Kind: OpenPGP, Name: person(owner), Key: key}, nil
}

// Turns are the times at which the verdict on the object may become another one: when an
// OpenPGP signature begins to count, and when it has ended by itself. Others have none.
func (o Object) Turns() []time.Time {
	if kind, err := kindOf(string(o.signature)); err != nil || kind != OpenPGP {
		return nil
	}
	sig, _, err := signature(string(o.signature))
	if err != nil {
		return nil
	}
	turns := []time.Time{sig.CreationTime}
	if life := sig.SigLifetimeSecs; life != nil && *life > 0 { // it counts in its last second, too
		turns = append(turns, sig.CreationTime.Add(time.Duration(*life)*time.Second+time.Second))
	}
	return turns
}

// weakHashes are those that a signature over a commit may not use.
func weakHashes() map[crypto.Hash]bool {
	return map[crypto.Hash]bool{crypto.SHA1: true, crypto.MD5: true, crypto.RIPEMD160: true, crypto.SHA224: true}
}

func weak(h crypto.Hash) bool { return weakHashes()[h] }

// signature reads the one signature that an armour holds.
func signature(armour string) (*packet.Signature, []byte, error) {
	block, err := armor.Decode(strings.NewReader(armour))
	if err != nil {
		return nil, nil, errors.New("the armour cannot be read")
	}
	raw, err := io.ReadAll(block.Body)
	if err != nil {
		return nil, nil, plainly(err)
	}
	packets := packet.NewReader(bytes.NewReader(raw))
	first, err := packets.Next()
	if err != nil {
		return nil, nil, plainly(err)
	}
	sig, ok := first.(*packet.Signature)
	if !ok || sig.IssuerKeyId == nil {
		return nil, nil, errors.New("it does not say whose it is")
	}
	if _, err := packets.Next(); !errors.Is(err, io.EOF) {
		return nil, nil, errors.New("there are two, or something else beside it")
	}
	return sig, raw, nil
}

// issuer is the fingerprint of the key that a signature says it is of, or the end
// of it.
func issuer(sig *packet.Signature) string {
	if len(sig.IssuerFingerprint) > 0 {
		return fmt.Sprintf("%X", sig.IssuerFingerprint)
	}
	return fmt.Sprintf("%016X", *sig.IssuerKeyId)
}

// because puts the library's error into words that go on after "is signed with the
// OpenPGP key … of …, ".
func because(err error, owner *openpgp.Entity, sig *packet.Signature, config *packet.Config) error {
	var weak pgperrors.WeakAlgorithmError
	var text pgperrors.SignatureError
	switch {
	case errors.Is(err, pgperrors.ErrKeyRevoked):
		return fault.Hint(errors.New("which is revoked"), "find out who used it; have the commit signed with another key")
	case errors.Is(err, pgperrors.ErrKeyExpired):
		return fmt.Errorf("which had expired when it signed, at %s", moment(sig.CreationTime))
	case errors.Is(err, pgperrors.ErrSignatureExpired):
		return errors.New("with a signature that is not valid now: it expired, or lies ahead")
	case errors.Is(err, pgperrors.ErrSignatureOlderThanKey):
		return errors.New("which is younger than its signature")
	case errors.As(err, &weak):
		return errors.New("which is too weak: " + plainly(weak).Error())
	case errors.As(err, &text) && strings.Contains(string(text), "notation"):
		return errors.New("with a signature that has an " + plainly(errors.New(string(text))).Error())
	}
	if why := unfit(owner, sig, config); why != nil {
		return why
	}
	return errors.New("with a signature that does not fit: it or what it signs was changed")
}

// unfit says why the subkey that signed may not; nil where it may. The library says
// no more than that it found none.
func unfit(owner *openpgp.Entity, sig *packet.Signature, config *packet.Config) error {
	at, judge := sig.CreationTime, owner.VerifyPrimaryKey
	for i := range owner.Subkeys {
		if sub := &owner.Subkeys[i]; sub.PublicKey.KeyId == *sig.IssuerKeyId {
			judge = sub.Verify
		}
	}
	self, err := judge(at, config)
	switch {
	case errors.Is(err, pgperrors.ErrKeyRevoked):
		return errors.New("which is revoked")
	case errors.Is(err, pgperrors.ErrKeyExpired):
		return fmt.Errorf("which had expired when it signed, at %s", moment(at))
	case err != nil:
		return fmt.Errorf("which was not valid when it signed, at %s", moment(at))
	case self != nil && self.FlagsValid && !self.FlagSign:
		return errors.New("which is not for signing")
	}
	return nil
}
