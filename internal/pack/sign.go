package pack

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"syncd.io/syncd/internal/fault"
)

// Namespace is what manifests are signed in: a signature that was made for something
// else is none of a pack.
const Namespace = "syncd-pack"

// SignWith signs by an SSH private key, in PEM or OpenSSH's form, as ssh-keygen -Y
// sign -n syncd-pack does. The error is Blocked and quotes nothing of the key.
func SignWith(key, passphrase []byte) (Sign, error) {
	signer, err := ssh.ParsePrivateKey(key)
	var missing *ssh.PassphraseMissingError
	if errors.As(err, &missing) && len(passphrase) > 0 {
		signer, err = ssh.ParsePrivateKeyWithPassphrase(key, passphrase)
	}
	switch {
	case errors.As(err, &missing):
		return nil, fault.Hint(fault.As(fault.Blocked, errors.New("the key needs a passphrase")), "name its file: --passphrase-file FILE")
	case err != nil: // not wrapped: it could quote the key
		return nil, fault.Hint(fault.As(fault.Blocked, errors.New("the key cannot be read")), "make one with ssh-keygen -t ed25519 -f FILE, and name FILE, not FILE.pub")
	}
	return func(manifest []byte) ([]byte, error) {
		signature, err := sshsig.Sign(bytes.NewReader(manifest), signer, sshsig.HashSHA512, Namespace)
		if err != nil {
			return nil, fmt.Errorf("sign with the SSH key %s: %w", ssh.FingerprintSHA256(signer.PublicKey()), err)
		}
		return sshsig.Armor(signature), nil
	}, nil
}
