package verify

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // fingerprints in OpenSSH's own lists
	"crypto/sha256"
	"fmt"

	"golang.org/x/crypto/ssh"
)

// Revoked are the keys of a revocation file: public keys, one a line, or a key
// revocation list (KRL) as ssh-keygen -k makes.
type Revoked struct {
	keys, sha1s, sha256s map[string]bool
	certs                []revokedCerts
}

const hintRevoked = "a revocation file is a list of public keys, one a line, or what ssh-keygen -k -f FILE makes"

// ParseRevoked reads a file; its name is for errors. A line that is not understood
// is an error, for it may be the one that matters: Blocked, with file and line.
func ParseRevoked(file string, data []byte) (*Revoked, error) {
	r := &Revoked{keys: map[string]bool{}, sha1s: map[string]bool{}, sha256s: map[string]bool{}}
	if bytes.HasPrefix(data, []byte(krlMagic)) {
		if err := r.readKRL(data); err != nil {
			return nil, badLine(file, 1, err, hintRevoked)
		}
		return r, nil
	}
	for number, text := range said(data) {
		blob, err := publicKey(text)
		if err != nil {
			return nil, badLine(file, number, err, hintRevoked)
		}
		r.keys[string(blob)] = true
	}
	return r, nil
}

// covers says why a key is revoked; empty where it is not. With a certificate goes
// its key, and with an authority's key all that it certified.
func (r *Revoked) covers(key ssh.PublicKey) string {
	if r == nil {
		return ""
	}
	cert, ok := key.(*ssh.Certificate)
	if !ok {
		return r.lists(key)
	}
	if why := r.lists(cert.Key); why != "" {
		return why
	}
	if why := r.lists(cert.SignatureKey); why != "" {
		return why + ", of its authority"
	}
	for _, c := range r.certs {
		if c.covers(cert) {
			return fmt.Sprintf("by its certificate, serial %d", cert.Serial)
		}
	}
	return ""
}

func (r *Revoked) lists(key ssh.PublicKey) string {
	blob := key.Marshal()
	short, long := sha1.Sum(blob), sha256.Sum256(blob) //nolint:gosec // see the import
	switch {
	case r.keys[string(blob)]:
		return "by its key"
	case r.sha256s[string(long[:])], r.sha1s[string(short[:])]:
		return "by its fingerprint"
	}
	return ""
}
