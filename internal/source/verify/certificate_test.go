package verify_test

import (
	"strings"
	"testing"

	"syncd.io/syncd/internal/source/verify"
)

// certify makes a certificate NAME-cert.pub, and returns a commit signed with it.
func (p *place) certify(name, authority string, args ...string) []byte {
	p.t.Helper()
	p.run("", "ssh-keygen", append([]string{"-q", "-s", authority, "-I", "the card of " + name}, append(args, name+".pub")...)...)
	p.run("", "cp", name+"-cert.pub", "signing-cert.pub")
	p.run("", "cp", name, "signing")
	return signed(plain(), p.bySSH("signing-cert.pub", "git", plain()))
}

func TestCertificates(t *testing.T) {
	p := newPlace(t)
	ca := p.key("ca")
	p.key("other-ca")
	public := p.key("ann")
	const forever = "-Valways:forever"
	keys := allow(t, `*@example.com cert-authority,namespaces="git" `+ca)
	raw := p.certify("ann", "ca", forever, "-n", "root,ann@example.com", "-z", "7")
	got, err := judge(keys, raw)
	if err != nil || got.Kind != verify.SSH || got.Name != "ann@example.com" || got.Key != p.fingerprint("ann") {
		t.Errorf("got %+v, %v", got, err)
	}
	for what, c := range map[string]struct {
		keys verify.Keys
		raw  []byte
		why  string
	}{
		"no authority":        {allow(t, "ann@example.com "+public), raw, "which /etc/allowed does not list"},
		"listed, not trusted": {allow(t, "* "+ca), raw, "which /etc/allowed does not list"},
		"another authority":   {keys, p.certify("ann", "other-ca", forever, "-n", "ann@example.com"), "which /etc/allowed does not list"},
		"another principal":   {keys, p.certify("ann", "ca", forever, "-n", "ann@example.org"), "no principal that matches *@example.com"},
		"no principal":        {keys, p.certify("ann", "ca", forever), "no principal that matches"},
		"expired":             {keys, p.certify("ann", "ca", "-V20200101:20210101", "-n", "ann@example.com"), "certificate does not hold"},
		"not yet valid":       {keys, p.certify("ann", "ca", "-V20240101:20300101", "-n", "ann@example.com"), "certificate does not hold"},
		"a host's":            {keys, p.certify("ann", "ca", forever, "-h", "-n", "ann@example.com"), "certificate is a host's"},
		"critical option":     {keys, p.certify("ann", "ca", forever, "-O", "critical:x@example.com=y", "-n", "ann@example.com"), "certificate does not hold"},
		"expired authority":   {allow(t, `* cert-authority,valid-before="20200101Z" `+ca), raw, "which expired at"},
		"revoked key":         {revoke(t, keys, public), raw, "which is revoked (by its key)"},
		"revoked authority":   {revoke(t, keys, ca), raw, "which is revoked (by its key, of its authority)"},
	} {
		_, err := judge(c.keys, c.raw)
		bad(t, what, err, "the card of ann", c.why)
	}
}

func TestKeyRevocationLists(t *testing.T) {
	p := newPlace(t)
	ca, public := p.key("ca"), p.key("ann")
	p.key("other")
	spec := p.write("spec", "")
	list := func(text string, args ...string) string {
		p.write("spec", text)
		p.run("", "ssh-keygen", append(append([]string{"-q", "-k", "-f", "krl"}, args...), spec)...)
		return p.read("krl")
	}
	ours := signed(plain(), p.bySSH("ann", "git", plain()))
	card := p.certify("ann", "ca", "-Valways:forever", "-n", "ann", "-z", "70")
	plainKey, certified := allow(t, "ann "+public), allow(t, "* cert-authority "+ca)
	for text, why := range map[string]string{
		"key: " + public + "\n":                          "by its key",
		"sha1: " + public + "\n":                         "by its fingerprint",
		"sha256: " + public + "\n":                       "by its fingerprint",
		"hash: " + p.fingerprint("ann") + "\n":           "by its fingerprint",
		"key: " + strings.TrimSpace(p.read("other.pub")): "",
	} {
		_, err := judge(revoke(t, plainKey, list(text)), ours)
		if why == "" {
			if err != nil {
				t.Errorf("another key is revoked: %v", err)
			}
			continue
		}
		bad(t, text, err, p.fingerprint("ann"), "which is revoked ("+why+")")
	}
	for text, revoked := range map[string]bool{
		"serial: 70\n":                         true,
		"serial: 60-80\n":                      true,
		"serial: 1\nserial: 68\nserial: 70\n":  true,
		"serial: 1\nserial: 3\nserial: 1000\n": false,
		"serial: 71-80\n":                      false,
		"id: the card of ann\n":                true,
		"id: the card of bob\n":                false,
	} {
		_, err := judge(revoke(t, certified, list(text, "-s", "ca.pub")), card)
		if revoked {
			bad(t, text, err, "which is revoked (by its certificate, serial 70)")
		} else if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if _, err := judge(revoke(t, certified, list(text, "-s", "other.pub")), card); err != nil {
			t.Errorf("%q of another authority: %v", text, err)
		}
	}
	whole := list("key: " + public)
	const header = 44 // a list of nothing is whole
	for cut := 8; cut < len(whole); cut++ {
		if _, err := verify.ParseRevoked("/etc/krl", []byte(whole[:cut])); (err == nil) != (cut == header) {
			t.Errorf("the list cut off at %d of %d bytes: %v", cut, len(whole), err)
		}
	}
}
