package verify_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/verify"
)

func nameOf(raw []byte) string    { return name(plumbing.CommitObject, raw) }
func nameOfTag(raw []byte) string { return name(plumbing.TagObject, raw) }

// blocked wants an error of a file that a person wrote, with a hint.
func blocked(t testing.TB, what string, err error, words ...string) {
	t.Helper()
	if err == nil || fault.Of(err) != fault.Blocked || fault.Advice(err) == "" {
		t.Errorf("%s: got %v (%v), want blocked with a hint", what, err, fault.Of(err))
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%s: got %q, want %q in it", what, err, w)
		}
	}
}

// aKey is one that nobody has the other half of.
const aKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKr1Zl0bQKqgHBE0a8r0eJ1m0YV3UJ0oP1bQ7pYkJd0x"

func TestLinesOfAllowedSignersThatAreRefused(t *testing.T) {
	for line, why := range map[string]string{
		"ann":                                    "no public key",
		"ann ssh-ed25519":                        "no public key",
		"ann ssh-ed25519 ????":                   "is not whole",
		"ann ssh-rsa " + strings.Fields(aKey)[1]: "is not of type ssh-rsa",
		aKey:                                     "no public key",
		"ann, " + aKey:                           "have an empty one",
		`"ann ` + aKey:                           "quote is not closed",
		`"ann"x ` + aKey:                         "quote is not closed",
		`ann namespaces="git ` + aKey:            "quote is not closed",
		"ann namespaces=git " + aKey:             "not in quotes",
		`ann namespaces="git",namespaces="x" ` + aKey:                "stands twice",
		`ann valid-after="yesterday" ` + aKey:                        "no time such as",
		`ann valid-after="20261301" ` + aKey:                         "no time such as",
		`ann valid-after="2026-01-01" ` + aKey:                       "no time such as",
		`ann valid-after="20260101",valid-before="20260101" ` + aKey: "valid-before is not after",
		`ann no-touch-required ` + aKey:                              "there is no option",
		`ann something="x" ` + aKey:                                  "there is no option",
		`ann namespaces ` + aKey:                                     "has no value",
		`ann cert-authority="x" ` + aKey:                             "has no value",
		`ann namespaces="git", ` + aKey:                              "stands",
		`ann namespaces="git"x ` + aKey:                              "stands",
		"ann ssh-ed25519-cert-v01@openssh.com AAAA":                  "it has a certificate",
	} {
		_, err := verify.ParseSigners("/etc/allowed", []byte("# first\n\n"+line+"\n"))
		blocked(t, line, err, "/etc/allowed:3: ", why)
	}
	_, err := verify.ParseSigners("/etc/allowed", []byte("# nobody\n"))
	blocked(t, "nobody", err, "/etc/allowed lists no key")
}

func TestLinesOfAllowedSignersThatAreTaken(t *testing.T) {
	for _, line := range []string{
		"ann " + aKey, "\tann\t" + aKey + " a comment\r", `"ann" ` + aKey, "ann,*@example.com,!eve@example.com " + aKey,
		`ann cert-authority ` + aKey, `ann CERT-AUTHORITY,Namespaces="git,file" ` + aKey,
		`ann valid-after="202601010101",valid-before="20270101010101Z" ` + aKey,
	} {
		if _, err := verify.ParseSigners("/etc/allowed", []byte(line)); err != nil {
			t.Errorf("%q: %v", line, err)
		}
	}
}

func TestRevocationFilesThatAreRefused(t *testing.T) {
	for text, why := range map[string]string{
		aKey + "\nann " + aKey: "/etc/revoked:2: there is no public key",
		"SHA256:abc":           "/etc/revoked:1: there is no public key",
		"SSHKRL\n\x00":         "damaged",
		"SSHKRL\n\x00\x00\x00\x00\x02" + strings.Repeat("\x00", 32): "unknown format 2",
		krl(9, "x"):                       "unknown section 9",
		krl(1, "x"):                       "damaged",
		krl(2, "x"):                       "damaged",
		krl(255, "\x00\x00\x00\x01x\x01"): `unknown extension "x"`,
	} {
		_, err := verify.ParseRevoked("/etc/revoked", []byte(text))
		blocked(t, text, err, "/etc/revoked", why)
	}
	if _, err := verify.ParseRevoked("/etc/revoked", []byte("# none yet\n")); err != nil {
		t.Errorf("a list of nobody: %v", err)
	}
	if _, err := verify.ParseRevoked("/etc/revoked", []byte(krl(255, "\x00\x00\x00\x01x\x00"))); err != nil {
		t.Errorf("an extension that may be passed over: %v", err)
	}
}

// krl is a list with one section.
func krl(kind byte, content string) string {
	return "SSHKRL\n\x00\x00\x00\x00\x01" + strings.Repeat("\x00", 32) + string([]byte{kind}) + size(content) + content
}

func size(s string) string { return string([]byte{0, 0, 0, byte(len(s))}) }

// Lists that ssh-keygen reads are read alike: its verdict and ours are one.
func TestVerdictsAreThoseOfGit(t *testing.T) {
	p := newPlace(t)
	public, other := p.key("ann"), p.key("other")
	raw := p.commit(p.dir + "/ann")
	file := p.write("allowed", "")
	for i, lines := range []string{
		"ann " + public, "other " + other, "# x\n\nother " + other + "\nann " + public + " comment",
		`ann namespaces="git" ` + public, `ann namespaces="file" ` + public, `ann namespaces="g?t,x" ` + public, `ann namespaces="*,!git" ` + public,
		`ann valid-after="20231114221320Z" ` + public, `ann valid-after="20231114221321Z" ` + public,
		`ann valid-before="20231114221320Z" ` + public, `ann valid-before="20231114221319Z" ` + public,
		`ann valid-after="20231114" ` + public, `ann valid-after="202311142214" ` + public,
		`ann cert-authority ` + public, `"ann b" ` + public, `a,b,!c ` + public,
	} {
		p.write("allowed", lines+"\n")
		_, err := judge(allow(t, lines), raw)
		verdict := p.run("", "sh", "-c", fmt.Sprintf("git -c gpg.ssh.allowedSignersFile=%s verify-commit HEAD 2>/dev/null && echo good || echo bad", file))
		if (err == nil) != (verdict == "good\n") {
			t.Errorf("%d, %s:\ngit says %sand we %v", i, lines, verdict, err)
		}
	}
}
