package verify_test

import (
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/verify"
)

// What is refused is refused as the file's, with its name.
func FuzzParseSigners(f *testing.F) {
	f.Add([]byte("ann " + aKey))
	f.Add([]byte("# a\n*@example.com,!eve@x namespaces=\"git,file\",valid-after=\"20260101Z\",cert-authority " + aKey + " comment\n"))
	f.Add([]byte("\"ann b\" valid-before=\"202601010101\" " + aKey))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := verify.ParseSigners("/etc/allowed", data); err != nil && (fault.Of(err) != fault.Blocked || !strings.HasPrefix(err.Error(), "/etc/allowed")) {
			t.Errorf("got %v (%v)", err, fault.Of(err))
		}
	})
}

func FuzzParseRevoked(f *testing.F) {
	f.Add([]byte(aKey + "\n# x\n"))
	f.Add([]byte(krl(2, size("x")+"x")))
	f.Add([]byte(krl(1, size("")+size("")+"\x20"+size("12345678")+"12345678")))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := verify.ParseRevoked("/etc/revoked", data); err != nil && (fault.Of(err) != fault.Blocked || !strings.HasPrefix(err.Error(), "/etc/revoked")) {
			t.Errorf("got %v (%v)", err, fault.Of(err))
		}
	})
}

// Whatever an object holds: it is refused, or nobody has signed it.
func FuzzObjects(f *testing.F) {
	f.Add([]byte(plain()), "a "+aKey)
	f.Add(signed(plain(), "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n"), "a "+aKey)
	f.Add(signed(plain(), "-----BEGIN PGP SIGNATURE-----\n\nAAAA\n=AAAA\n-----END PGP SIGNATURE-----\n"), "a "+aKey)
	f.Add([]byte("object 4b825dc642cb6eb9a060e54bf8d69288fbee4904\ntype commit\ntag v1\ntagger Ann <a@b> 1 +0000\n\nx\n-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n"), "a "+aKey)
	f.Fuzz(func(t *testing.T, raw []byte, line string) {
		s, err := verify.ParseSigners("/etc/allowed", []byte(line))
		if err != nil {
			return
		}
		keys := verify.Keys{Signers: s}
		if o, err := verify.ParseCommit(name(plumbing.CommitObject, raw), raw); err == nil {
			if who, err := keys.Verify(o, now()); err == nil {
				t.Errorf("%v signed it", who)
			}
		}
		if o, err := verify.ParseTag(name(plumbing.TagObject, raw), raw); err == nil {
			if who, err := keys.Verify(o, now()); err == nil {
				t.Errorf("%v signed it", who)
			}
		}
	})
}
