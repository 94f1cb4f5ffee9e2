package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"syncd.io/syncd/internal/source/remote"
)

// agentTime is how long an ssh-agent may take to be reached.
const agentTime = 5 * time.Second

// authOf is what may log in: the key of the settings, then those of the agent.
func authOf(ctx context.Context, spec remote.Spec) ([]ssh.AuthMethod, error) {
	var signers []ssh.Signer
	if spec.SSHKey != "" || spec.SSHAgent == "" {
		signer, err := parseKey(spec)
		if err != nil {
			return nil, err
		}
		signers = append(signers, signer)
	}
	if spec.SSHAgent != "" {
		held, err := heldBy(ctx, spec.SSHAgent)
		if err != nil {
			return nil, err
		}
		signers = append(signers, held...)
	}
	return []ssh.AuthMethod{ssh.PublicKeys(signers...)}, nil
}

// heldBy are the keys of the agent at a socket. The connection ends with the process,
// which asks the agent to sign when it logs in.
func heldBy(ctx context.Context, socket string) ([]ssh.Signer, error) {
	dialer := net.Dialer{Timeout: agentTime}
	conn, err := dialer.DialContext(ctx, "unix", socket)
	if err != nil {
		var errno syscall.Errno
		if errors.As(err, &errno) {
			err = errno // the rest names the socket once more
		}
		return nil, fmt.Errorf("reach the ssh-agent at %s: %w", socket, err)
	}
	signers, err := agent.NewClient(conn).Signers()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("ask the ssh-agent for its keys: %w", err), conn.Close())
	}
	if len(signers) == 0 {
		return nil, errors.Join(errors.New("the ssh-agent holds no key: ssh-add KEYFILE"), conn.Close())
	}
	return signers, nil
}
