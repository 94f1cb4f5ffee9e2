package verify

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// namespace is what git signs in: a signature made for something else (a file, a
// login) is none of a commit.
const namespace = "git"

// minRSA is how long an RSA key has to be, in bits.
const minRSA = 2048

// overSSH is the check of an SSH signature, as PROTOCOL.sshsig of OpenSSH says.
func (k Keys) overSSH(o Object, armour string) (Signer, error) {
	sig, err := sshsig.Unarmor([]byte(armour))
	if err != nil {
		return Signer{}, fmt.Errorf("has an SSH signature that cannot be taken: %w", plainly(err))
	}
	key := keyName(sig.PublicKey)
	if err := sound(sig.PublicKey, sig.Signature.Format); err != nil {
		return Signer{}, fmt.Errorf("is signed with the SSH key %s, %w", key, err)
	}
	switch err := sshsig.Verify(bytes.NewReader(o.payload), sig, sig.PublicKey, sig.HashAlgorithm, o.space()); {
	case errors.Is(err, sshsig.ErrNamespaceMismatch):
		return Signer{}, fmt.Errorf("is signed with the SSH key %s for the namespace %.40q, and not for %q", key, sig.Namespace, o.space())
	case err != nil:
		return Signer{}, fmt.Errorf("has a signature of the SSH key %s that does not fit: it or what it signs was changed", key)
	}
	if k.Signers == nil {
		return Signer{}, fault.Hint(fmt.Errorf("is signed with the SSH key %s, and repo.verify names no keys for SSH", key), "set repo.verify.ssh.allowedSignersFile")
	}
	if why := k.Revoked.covers(sig.PublicKey); why != "" {
		return Signer{}, fault.Hint(fmt.Errorf("is signed with the SSH key %s, which is revoked (%s)", key, why), "find out who used it; nothing signed with it is accepted again")
	}
	name, err := k.Signers.find(sig.PublicKey, o.space(), o.Time)
	if err != nil {
		return Signer{}, fmt.Errorf("is signed with the SSH key %s, %w", key, err)
	}
	return Signer{Kind: SSH, Name: name, Key: ssh.FingerprintSHA256(bare(sig.PublicKey))}, nil
}

// bare is a key without the certificate that it may be in.
func bare(key ssh.PublicKey) ssh.PublicKey {
	if cert, ok := key.(*ssh.Certificate); ok {
		return cert.Key
	}
	return key
}

// keyName names a key as ssh-keygen -l does.
func keyName(key ssh.PublicKey) string {
	if cert, ok := key.(*ssh.Certificate); ok {
		return fmt.Sprintf("%s (certificate %s of %s)", ssh.FingerprintSHA256(cert.Key), resource.Harmless(cert.KeyId, 60), ssh.FingerprintSHA256(cert.SignatureKey))
	}
	return fmt.Sprintf("%s (%s)", ssh.FingerprintSHA256(key), key.Type())
}

// sound refuses what can be forged: DSA, short RSA keys, and SHA-1.
func sound(key ssh.PublicKey, format string) error {
	if format == ssh.KeyAlgoRSA || strings.HasPrefix(format, "ssh-dss") {
		return errors.New("which signed over SHA-1: too weak")
	}
	if cert, ok := key.(*ssh.Certificate); ok {
		if err := sound(cert.SignatureKey, cert.Signature.Format); err != nil {
			return fmt.Errorf("certified with %s, %w", ssh.FingerprintSHA256(cert.SignatureKey), err)
		}
		key = cert.Key
	}
	if strings.HasPrefix(key.Type(), "ssh-dss") {
		return errors.New("which is a DSA key: too weak")
	}
	wrapped, ok := key.(ssh.CryptoPublicKey)
	if !ok {
		return nil
	}
	if public, ok := wrapped.CryptoPublicKey().(*rsa.PublicKey); ok && public.N.BitLen() < minRSA {
		return fmt.Errorf("which has %d bits: too weak, RSA needs %d", public.N.BitLen(), minRSA)
	}
	return nil
}

// plainly is a library's error without what is of no use to a reader.
func plainly(err error) error {
	return errors.New(resource.Harmless(strings.TrimPrefix(err.Error(), "ssh: "), 200))
}

// find returns the principal that the list gives to a key at a time. The error goes
// on after "is signed with the SSH key …, ".
func (s *Signers) find(key ssh.PublicKey, space string, at time.Time) (string, error) {
	var last error
	for _, l := range s.lines {
		name, err := l.match(key, space, at)
		if err == nil {
			return name, nil
		}
		if !errors.Is(err, errOther) {
			last = fmt.Errorf("%w (%s:%d)", err, s.file, l.number)
		}
	}
	if last != nil {
		return "", last
	}
	return "", fmt.Errorf("which %s does not list", s.file)
}

// errOther is for a line that is about another key.
var errOther = errors.New("it is another key")

// match is the principal where the line is about the key and lets it sign commits
// at that time.
func (l line) match(key ssh.PublicKey, space string, at time.Time) (string, error) {
	cert, certified := key.(*ssh.Certificate)
	switch {
	case !l.authority && bytes.Equal(l.key, key.Marshal()):
	case l.authority && certified && bytes.Equal(l.key, cert.SignatureKey.Marshal()):
	default:
		return "", errOther
	}
	switch {
	case len(l.namespaces) > 0 && !matches(l.namespaces, space):
		return "", fmt.Errorf("which may sign only for %s, and not for %q", strings.Join(l.namespaces, ","), space)
	case !l.after.IsZero() && at.Before(l.after):
		return "", fmt.Errorf("which is not valid before %s; the signed time is %s", moment(l.after), moment(at))
	case !l.before.IsZero() && at.After(l.before):
		return "", fmt.Errorf("which expired at %s; the signed time is %s", moment(l.before), moment(at))
	case certified:
		return l.certified(cert, at)
	}
	return l.principals, nil
}

// certified returns the principal of a certificate that the line's authority may
// vouch for.
func (l line) certified(cert *ssh.Certificate, at time.Time) (string, error) {
	if cert.CertType != ssh.UserCert {
		return "", errors.New("whose certificate is a host's")
	}
	checker := ssh.CertChecker{
		Clock:           func() time.Time { return at },
		IsUserAuthority: func(ssh.PublicKey) bool { return true }, // l has been compared
	}
	var last error
	for _, principal := range cert.ValidPrincipals {
		if !matches(l.patterns, principal) {
			continue
		}
		if last = checker.CheckCert(principal, cert); last == nil {
			return principal, nil
		}
	}
	if last != nil {
		return "", fmt.Errorf("whose certificate does not hold: %w", plainly(last))
	}
	return "", fmt.Errorf("whose certificate has no principal that matches %s", l.principals)
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }
