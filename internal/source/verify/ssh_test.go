package verify_test

import (
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"syncd.io/syncd/internal/source/verify"
)

func TestCommitsSignedWithSSH(t *testing.T) {
	p := newPlace(t)
	for kind, args := range map[string][]string{
		"ed25519": {"-t", "ed25519"}, "rsa": {"-t", "rsa", "-b", "2048"}, "ecdsa": {"-t", "ecdsa", "-b", "384"},
	} {
		public := p.key(kind, args...)
		want := verify.Signer{Kind: verify.SSH, Name: "ann@example.com", Key: p.fingerprint(kind)}
		raw := p.commit(p.dir + "/" + kind)
		for what, line := range map[string]string{
			"plain":     "ann@example.com " + public,
			"options":   `ann@example.com namespaces="file,git",valid-after="20200101",valid-before="20300101Z" ` + public + " a comment",
			"pattern":   `ann@example.com namespaces="g*" ` + public,
			"after bad": `bob@example.com valid-before="20200101Z" ` + public + "\nann@example.com " + public,
		} {
			got, err := judge(allow(t, "# who may", "", line), raw)
			good(t, kind+", "+what, got, err, want)
		}
		_, err := judge(allow(t, "ann@example.com "+public), change(t, raw, "its story", "its  story"))
		bad(t, kind+", changed", err, "commit ", p.fingerprint(kind), "does not fit")
	}
}

func TestWhatAnSSHSignatureIsRefusedFor(t *testing.T) {
	p := newPlace(t)
	public, other := p.key("ann"), p.key("other")
	fingerprint := p.fingerprint("ann")
	raw := p.commit(p.dir + "/ann")
	for what, c := range map[string]struct {
		keys  verify.Keys
		words string
	}{
		"unknown":         {allow(t, "bob@example.com "+other), "which /etc/allowed does not list"},
		"no keys for SSH": {verify.Keys{Rings: []verify.Ring{{}}}, "names no keys for SSH"},
		"expired":         {allow(t, `a valid-before="20231114Z" `+public), "which expired at 2023-11-14 00:00:00Z; the signed time is 2023-11-14 22:13:20Z (/etc/allowed:1)"},
		"not yet valid":   {allow(t, "# one", `a valid-after="20231115Z" `+public), "is not valid before 2023-11-15 00:00:00Z; the signed time is 2023-11-14 22:13:20Z (/etc/allowed:2)"},
		"other namespace": {allow(t, `a namespaces="file,email" `+public), `may sign only for file,email, and not for "git"`},
		"excluded":        {allow(t, `a namespaces="*,!git" `+public), `and not for "git"`},
		"an authority":    {allow(t, "a cert-authority "+public), "which /etc/allowed does not list"},
		"revoked":         {revoke(t, allow(t, "a "+public), "# gone\n"+other+"\n"+public+"\n"), "which is revoked (by its key)"},
	} {
		_, err := judge(c.keys, raw)
		bad(t, what, err, "commit ", fingerprint, c.words)
	}
	_, err := judge(allow(t, "a "+public), p.commit(""))
	bad(t, "unsigned", err, "is not signed")
	_, err = judge(allow(t, "a "+public), signed(plain(), p.bySSH("ann", "file", plain())))
	bad(t, "wrong namespace", err, fingerprint, `for the namespace "file", and not for "git"`)
	got, err := judge(allow(t, "a "+public), signed(plain(), p.bySSH("ann", "git", plain())))
	good(t, "by hand", got, err, verify.Signer{Kind: verify.SSH, Name: "a", Key: fingerprint})
	_, err = judge(allow(t, "a "+public), signed(plain(), p.bySSH("ann", "git", "something else")))
	bad(t, "of something else", err, fingerprint, "does not fit")
}

func TestWeakSSHKeysAreRefused(t *testing.T) {
	p := newPlace(t)
	short := p.key("short", "-t", "rsa", "-b", "1024")
	_, err := judge(allow(t, "a "+short), signed(plain(), p.bySSH("short", "git", plain())))
	bad(t, "short", err, p.fingerprint("short"), "has 1024 bits: too weak")
	dsa := p.key("dsa", "-t", "dsa")
	_, err = judge(allow(t, "a "+dsa), signed(plain(), p.bySSH("dsa", "git", plain())))
	bad(t, "DSA", err, p.fingerprint("dsa"), "too weak")
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	public := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	_, err = judge(allow(t, "a "+public), signed(plain(), string(sshsig.Armor(sha1(t, signer, plain())))))
	bad(t, "SHA-1", err, `"ssh-rsa"`)
}

// sha1 signs as OpenSSH no longer does.
func sha1(t *testing.T, signer ssh.Signer, payload string) *sshsig.Signature {
	t.Helper()
	sig, err := sshsig.Sign(strings.NewReader(payload), signer, sshsig.HashSHA512, "git")
	if err != nil {
		t.Fatal(err)
	}
	sig.Signature.Format = ssh.KeyAlgoRSA
	return sig
}

func TestTagsSignedWithSSH(t *testing.T) {
	p := newPlace(t)
	public := p.key("ann")
	p.commit("")
	raw := p.tag(p.dir+"/ann", "v1.0")
	got, err := judgeTag(allow(t, "ann "+public), raw)
	good(t, "tag", got, err, verify.Signer{Kind: verify.SSH, Name: "ann", Key: p.fingerprint("ann"), Tag: "v1.0"})
	_, err = judgeTag(allow(t, "ann "+public), change(t, raw, "tag v1.0", "tag v2.0"))
	bad(t, "renamed", err, "tag v2.0", "does not fit")
	_, err = judgeTag(allow(t, "ann "+public), p.tag("", "v1.1"))
	bad(t, "unsigned", err, "tag v1.1", "is not signed")
	o, err := verify.ParseTag(name(plumbing.TagObject, raw), raw)
	if err != nil || o.Name != "v1.0" || o.TargetKind != "commit" || o.Target != strings.TrimSpace(p.run("", "git", "rev-parse", "HEAD")) {
		t.Errorf("got %+v, %v", o, err)
	}
}
