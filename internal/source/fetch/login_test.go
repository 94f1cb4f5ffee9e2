package fetch

import (
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/remote"
)

// private returns a key in OpenSSH's form, always the same one.
func private(t testing.TB, passphrase string) string {
	t.Helper()
	key := ed25519.NewKeyFromSeed([]byte(strings.Repeat("s", ed25519.SeedSize)))
	block, err := ssh.MarshalPrivateKey(key, "")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block))
}

func TestParseKey(t *testing.T) {
	open, locked := private(t, ""), private(t, "open sesame")
	for name, c := range map[string]struct{ key, passphrase, err string }{
		"open":                      {open, "", ""},
		"locked":                    {locked, "open sesame", ""},
		"locked, no passphrase":     {locked, "", "sshPassphraseFile"},
		"locked, wrong passphrase":  {locked, "open secret", "with this passphrase"},
		"open, with a passphrase":   {open, "open sesame", "with this passphrase"},
		"nothing":                   {"", "", "no private key"},
		"cut":                       {open[:len(open)/2], "", "no private key"},
		"a line break that is lost": {strings.ReplaceAll(open, "\n", " "), "", "no private key"},
		"a public key":              {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA== ann@example.org", "", "no private key"},
	} {
		signer, err := parseKey(remote.Spec{SSHKey: c.key, SSHPassphrase: c.passphrase})
		if c.err == "" && (err != nil || signer.PublicKey().Type() != ssh.KeyAlgoED25519) {
			t.Errorf("%s: %v", name, err)
		}
		if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: got %v, want %q", name, err, c.err)
		}
	}
}

// FuzzParseKey: whatever the file holds, an error does not quote it.
func FuzzParseKey(f *testing.F) {
	f.Add(private(f, ""), "")
	f.Add(private(f, "open sesame"), "open sesame")
	f.Add("-----BEGIN RSA PRIVATE KEY-----\nSECRET\n-----END RSA PRIVATE KEY-----\n", "hunter2")
	f.Fuzz(func(t *testing.T, key, passphrase string) {
		signer, err := parseKey(remote.Spec{SSHKey: key, SSHPassphrase: passphrase})
		if (signer == nil) != (err != nil) {
			t.Fatalf("got the signer %v and the error %v", signer, err)
		}
		if err == nil {
			return
		}
		for _, known := range []string{
			"the SSH key cannot be read with this passphrase", "the SSH key needs a passphrase: repo.auth.sshPassphraseFile",
			"the SSH key cannot be read: it is no private key in PEM or OpenSSH form",
		} {
			if err.Error() == known {
				return
			}
		}
		t.Errorf("the error is made of what was read: %q", err)
	})
}

// FuzzKnownHosts: the parser ends, and tells hosts or an error.
func FuzzKnownHosts(f *testing.F) {
	f.Add("git.example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ\n")
	f.Add("# a comment\n\n@revoked * ssh-rsa AAAA\n|1|x|y ssh-rsa AAAA\n")
	f.Add("[::1]:22,*.example.org ssh-ed25519")
	f.Fuzz(func(t *testing.T, content string) {
		db, err := knownHosts(content)
		if (db == nil) != (err != nil) {
			t.Fatalf("got %v and %v", db, err)
		}
		if err == nil {
			db.HostKeyAlgorithms("git.example.org:22")
		}
	})
}

func TestSSHErrors(t *testing.T) {
	for text, want := range map[string]struct {
		class fault.Class
		text  string
	}{
		"ssh: handshake failed: knownhosts: key is revoked":                         {fault.Blocked, "marked as revoked"},
		"ssh: handshake failed: ssh: unable to authenticate, attempted methods [x]": {fault.Blocked, "refused the SSH key"},
		"dial tcp 127.0.0.1:22: connect: connection refused":                        {fault.Unknown, "connection refused"},
	} {
		if err := sshError(errors.New(text)); fault.Of(err) != want.class || !strings.Contains(err.Error(), want.text) {
			t.Errorf("%s became %v (%v), want %q", text, err, fault.Of(err), want.text)
		}
	}
}
