package verify_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"syncd.io/syncd/internal/source/verify"
)

// The times that gpg is told it is.
const (
	made  = "20230101T000000"
	later = "20231114T221320" // when the commits were made
)

func TestObjectsSignedWithOpenPGP(t *testing.T) {
	p := newPlace(t)
	for kind, name := range map[string]string{"ed25519": "Ann <ann@example.com>", "rsa2048": "Rosa <rosa@example.com>", "nistp256": "Nick <nick@example.com>"} {
		fpr := p.person(name, kind, "sign", made)
		keys := verify.Keys{Rings: []verify.Ring{p.ring(fpr)}}
		want := verify.Signer{Kind: verify.OpenPGP, Name: name, Key: fpr}
		raw := p.commit("gpg:" + fpr)
		o, err := verify.ParseCommit(nameOf(raw), raw)
		if err != nil {
			t.Fatal(err)
		}
		got, err := keys.Verify(o, time.Now()) // gpg signs at the time that it is
		good(t, kind, got, err, want)
		_, err = judge(keys, change(t, raw, "its story", "its  story"))
		bad(t, kind+", changed", err, fpr, name, "does not fit")
		tag := p.tag("gpg:"+fpr, "v-"+kind)
		ot, err := verify.ParseTag(nameOfTag(tag), tag)
		if err != nil {
			t.Fatal(err)
		}
		want.Tag = "v-" + kind
		got, err = keys.Verify(ot, time.Now())
		good(t, kind+", tag", got, err, want)
	}
}

func TestWhatAnOpenPGPSignatureIsRefusedFor(t *testing.T) {
	p := newPlace(t)
	at := func(when string, more ...string) []string { return append(more, "--faked-system-time", when+"!") }
	ann := p.person("Ann <ann@example.com>", "rsa2048", "sign", made)
	bob := p.person("Bob <bob@example.com>", "ed25519", "sign", made)
	gone := p.person("Gone <gone@example.com>", "ed25519", "sign", made)
	all := verify.Keys{Rings: []verify.Ring{p.ring(ann, gone), p.ring(bob)}}
	good1 := p.byGPG(ann, plain(), at(later)...)
	got, err := judge(all, signed(plain(), good1))
	good(t, "by hand", got, err, verify.Signer{Kind: verify.OpenPGP, Name: "Ann <ann@example.com>", Key: ann})
	for what, c := range map[string]struct{ armour, why string }{
		"of something else":  {p.byGPG(ann, "something else", at(later)...), "does not fit"},
		"SHA-1":              {p.byGPG(ann, plain(), at(later, "--digest-algo", "SHA1")...), "over SHA-1: too weak"},
		"SHA-224":            {p.byGPG(ann, plain(), at(later, "--digest-algo", "SHA224")...), "over SHA-224: too weak"},
		"as text":            {p.byGPG(ann, plain(), at(later, "--textmode")...), "of another kind than git makes"},
		"critical notation":  {p.byGPG(ann, plain(), at(later, "--sig-notation", "!x@example.com=y")...), "unknown critical notation: x@example.com"},
		"signature expired":  {p.byGPG(ann, plain(), at("20231112T000000", "--default-sig-expire", "1d")...), "not valid now: it expired"},
		"signature to come":  {p.byGPG(ann, plain(), at("20231120T000000")...), "not valid now"},
		"two in one armour":  {p.byGPG(ann, plain(), at(later, "--local-user", bob)...), "there are two"},
		"older than the key": {p.byGPG(ann, plain(), at("20221231T000000", "--ignore-time-conflict", "--ignore-valid-from")...), "OpenPGP key " + ann},
	} {
		_, err := judge(all, signed(plain(), c.armour))
		bad(t, what, err, "commit ", c.why)
	}
	got, err = judge(all, signed(plain(), p.byGPG(ann, plain(), at(later, "--sig-notation", "x@example.com=y")...)))
	if err != nil || got.Key != ann {
		t.Errorf("a notation that is not critical: %v, %v", got, err)
	}
	_, err = judge(verify.Keys{Rings: []verify.Ring{p.ring(bob)}}, signed(plain(), good1))
	bad(t, "unknown", err, ann, "which /etc/keys.asc does not hold")
	_, err = judge(verify.Keys{Signers: allow(t, "a "+p.key("a")).Signers}, signed(plain(), good1))
	bad(t, "no keys for OpenPGP", err, ann, "names no keys for OpenPGP")

	byGone := signed(plain(), p.byGPG(gone, plain(), at(later)...))
	p.run("", "gpg", append(at("20230201T000000", "--batch"), "--quick-set-expire", gone, "2023-06-01")...)
	_, err = judge(verify.Keys{Rings: []verify.Ring{p.ring(gone)}}, byGone)
	bad(t, "expired", err, gone, "which had expired when it signed, at 2023-11-14 22:13:20Z")
	p.run(strings.Replace(p.rev(gone), ":-----BEGIN", "-----BEGIN", 1), "gpg", "--batch", "--import")
	_, err = judge(verify.Keys{Rings: []verify.Ring{p.ring(gone)}}, byGone)
	bad(t, "revoked", err, gone, "which is revoked")
}

// A key is what all files say of it, in whichever order they stand: an older copy brings
// no revoked key back, and takes none away that lives longer now.
func TestAKeyIsRevokedByWhicheverCopySaysSo(t *testing.T) {
	p := newPlace(t)
	ann := p.person("Ann <ann@example.com>", "ed25519", "sign", made)
	c := signed(plain(), p.byGPG(ann, plain(), "--faked-system-time", later+"!"))
	export := func(fpr string) string { return p.run("", "gpg", "--armor", "--export", fpr) }
	long := export(ann)
	p.run("", "gpg", "--batch", "--faked-system-time", "20230201T000000!", "--quick-set-expire", ann, "2023-06-01")
	short := export(ann)
	p.run("", "gpg", "--batch", "--faked-system-time", "20230301T000000!", "--quick-set-expire", ann, "2030-06-01")
	longer := export(ann)
	p.run(strings.Replace(p.rev(ann), ":-----BEGIN", "-----BEGIN", 1), "gpg", "--batch", "--import")
	revoked := export(ann)
	for what, want := range map[string]struct {
		one, other, why string
	}{
		"an older one":         {long, long, ""},
		"one that ends early":  {long, short, "which had expired when it signed"},
		"one that lives on":    {short, longer, ""},
		"one that was revoked": {long, revoked, "which is revoked"},
		"revoked, and expired": {short, revoked, "which is revoked"},
	} {
		for how, keys := range map[string]verify.Keys{
			"last":        {Rings: []verify.Ring{parseRing(t, want.one), parseRing(t, want.other)}},
			"first":       {Rings: []verify.Ring{parseRing(t, want.other), parseRing(t, want.one)}},
			"last of one": {Rings: []verify.Ring{parseRing(t, want.one+want.other)}},
			"first of it": {Rings: []verify.Ring{parseRing(t, want.other+want.one)}},
		} {
			got, err := judge(keys, c)
			if want.why != "" {
				bad(t, what+" "+how, err, ann, want.why)
			} else {
				good(t, what+" "+how, got, err, verify.Signer{Kind: verify.OpenPGP, Name: "Ann <ann@example.com>", Key: ann})
			}
		}
	}
}

// One file has the subkey that signed, another the end of the whole key; or of the
// subkey.
func TestARevocationReachesTheSubkeysOfOtherCopies(t *testing.T) {
	when := time.Unix(committed, 0)
	config := &packet.Config{Time: func() time.Time { return when.Add(-time.Hour) }, Algorithm: packet.PubKeyAlgoEdDSA}
	made := func() (*openpgp.Entity, verify.Ring) {
		t.Helper()
		e, err := openpgp.NewEntity("Sue", "", "sue@example.com", config)
		if err != nil {
			t.Fatal(err)
		}
		bare := exported(t, e)
		if err := e.AddSigningSubkey(config); err != nil {
			t.Fatal(err)
		}
		return e, bare
	}
	sign := func(e *openpgp.Entity) []byte {
		t.Helper()
		var out bytes.Buffer
		w, err := armor.Encode(&out, openpgp.SignatureType, nil)
		if err != nil {
			t.Fatal(err)
		}
		now := &packet.Config{Time: func() time.Time { return when }, SigningKeyId: e.Subkeys[len(e.Subkeys)-1].PublicKey.KeyId}
		if err := errors.Join(openpgp.DetachSign(w, []*openpgp.Entity{e}, strings.NewReader(plain()), now), w.Close()); err != nil {
			t.Fatal(err)
		}
		return signed(plain(), out.String())
	}
	e, bare := made()
	whole, raw := exported(t, e), sign(e)
	if got, err := judge(verify.Keys{Rings: []verify.Ring{bare, whole}}, raw); err != nil || got.Name != "Sue <sue@example.com>" {
		t.Errorf("a copy without the subkey before one that has it: %v, %v", got, err)
	}
	if err := e.Revoke(packet.KeyCompromised, "", config); err != nil {
		t.Fatal(err)
	}
	e.Subkeys = nil
	_, err := judge(verify.Keys{Rings: []verify.Ring{whole, exported(t, e)}}, raw)
	bad(t, "a revoked key without the subkey", err, "Sue", "which is revoked")

	e, _ = made()
	whole, raw = exported(t, e), sign(e)
	if err := e.Subkeys[len(e.Subkeys)-1].Revoke(packet.KeyCompromised, "", config); err != nil {
		t.Fatal(err)
	}
	_, err = judge(verify.Keys{Rings: []verify.Ring{whole, exported(t, e)}}, raw)
	bad(t, "a revoked subkey", err, "Sue", "which is revoked")
}

// rev is the revocation certificate that gpg made with the key.
func (p *place) rev(fpr string) string {
	p.t.Helper()
	return p.run("", "cat", p.home+"/openpgp-revocs.d/"+fpr+".rev")
}

// A key that may sign now and is for something else in the ring is not believed.
func TestOnlySubkeysForSigningCount(t *testing.T) {
	when := time.Unix(committed, 0)
	config := &packet.Config{Time: func() time.Time { return when.Add(-time.Hour) }, Algorithm: packet.PubKeyAlgoEdDSA}
	e, err := openpgp.NewEntity("Sue", "", "sue@example.com", config)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.AddSigningSubkey(config); err != nil {
		t.Fatal(err)
	}
	sub := &e.Subkeys[len(e.Subkeys)-1]
	var out bytes.Buffer
	w, err := armor.Encode(&out, openpgp.SignatureType, nil)
	if err != nil {
		t.Fatal(err)
	}
	config.Time, config.SigningKeyId = func() time.Time { return when }, sub.PublicKey.KeyId
	if err := openpgp.DetachSign(w, []*openpgp.Entity{e}, strings.NewReader(plain()), config); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	raw := signed(plain(), out.String())
	got, err := judge(verify.Keys{Rings: []verify.Ring{exported(t, e)}}, raw)
	if err != nil || got.Name != "Sue <sue@example.com>" {
		t.Errorf("a subkey for signing: %v, %v", got, err)
	}
	binding := sub.Bindings[0].Packet
	binding.FlagSign, binding.FlagEncryptCommunications = false, true
	if err := binding.SignKey(sub.PublicKey, e.PrivateKey, config); err != nil {
		t.Fatal(err)
	}
	_, err = judge(verify.Keys{Rings: []verify.Ring{exported(t, e)}}, raw)
	bad(t, "a subkey for encryption", err, "Sue", "which is not for signing")
	if err := sub.Revoke(packet.KeySuperseded, "", config); err != nil {
		t.Fatal(err)
	}
	_, err = judge(verify.Keys{Rings: []verify.Ring{exported(t, e)}}, raw)
	bad(t, "a revoked subkey", err, "Sue", "which is revoked")
}

func exported(t *testing.T, e *openpgp.Entity) verify.Ring {
	t.Helper()
	var out bytes.Buffer
	if err := e.Serialize(&out); err != nil {
		t.Fatal(err)
	}
	return parseRing(t, out.String())
}

func TestKeyringFiles(t *testing.T) {
	p := newPlace(t)
	ann := p.person("Ann <ann@example.com>", "ed25519", "sign", made)
	bob := p.person("Bob <bob@example.com>", "ed25519", "sign", made)
	raw := signed(plain(), p.byGPG(bob, plain(), "--faked-system-time", later+"!"))
	for what, text := range map[string]string{
		"armoured":     p.run("", "gpg", "--armor", "--export", ann, bob),
		"joined":       p.run("", "gpg", "--armor", "--export", ann) + "\n" + p.run("", "gpg", "--armor", "--export", bob),
		"not armoured": p.run("", "gpg", "--export", ann, bob),
	} {
		if _, err := judge(verify.Keys{Rings: []verify.Ring{parseRing(t, text)}}, raw); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, c := range map[string]struct{ text, why string }{
		"private":     {p.run("", "gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", "", "--armor", "--export-secret-keys", ann), "PGP PRIVATE KEY BLOCK"},
		"private raw": {p.run("", "gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", "", "--export-secret-keys", ann), "private key"},
		"empty":       {"", "there is no key in it"},
		"garbage":     {"garbage", "/etc/keys"},
		"cut":         {p.run("", "gpg", "--armor", "--export", ann)[:120], "/etc/keys"},
	} {
		_, err := verify.ParseRing("/etc/keys", []byte(c.text))
		blocked(t, what, err, "/etc/keys", c.why)
	}
}
