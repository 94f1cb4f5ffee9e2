package fetch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing/transport"
	gitssh "github.com/go-git/go-git/v5/plumbing/transport/ssh"
	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/remote"
)

// Prepare sets what go-git keeps for the whole process; the child's main calls
// it once. The user's ssh_config must not redirect a host, and servers that
// insist on multi_ack (Azure DevOps, CodeCommit) work for a fresh clone.
func Prepare() {
	gitssh.DefaultSSHConfig = nil
	transport.UnsupportedCapabilities = nil
}

// connect opens a session; over SSH that logs in already. No HTTP answer is read
// beyond limit bytes.
func connect(ctx context.Context, spec remote.Spec, limit int64) (transport.UploadPackSession, error) {
	addr, err := remote.Parse(spec.URL)
	if err != nil {
		return nil, err
	}
	if addr.Kind == remote.HTTP {
		client, err := remote.NewClient(spec, limit)
		if err != nil {
			return nil, err
		}
		return client.Session(spec)
	}
	if addr.Kind != remote.SSH {
		return nil, fault.As(fault.Rejected, fmt.Errorf("%s is no remote repository", addr.URL))
	}
	return overSSH(ctx, spec)
}

func overSSH(ctx context.Context, spec remote.Spec) (transport.UploadPackSession, error) {
	ep, err := transport.NewEndpoint(spec.URL)
	if err != nil {
		return nil, fault.As(fault.Rejected, errors.New("repo.url is not a URL"))
	}
	login, err := newLogin(ctx, spec, ep)
	if err != nil {
		return nil, err
	}
	s, err := gitssh.NewClient(nil).NewUploadPackSession(ep, login)
	if err != nil {
		return nil, sshError(err)
	}
	return s, nil
}

// login is a key, or those of an agent, and the hosts that are known: nothing of the
// user's own SSH configuration.
type login struct{ config ssh.ClientConfig }

func newLogin(ctx context.Context, spec remote.Spec, ep *transport.Endpoint) (*login, error) {
	auth, err := authOf(ctx, spec)
	if err != nil {
		return nil, fault.As(fault.Blocked, err)
	}
	hosts, err := knownHosts(spec.KnownHosts)
	if err != nil {
		return nil, fault.As(fault.Blocked, fmt.Errorf("read the known hosts: %w", err))
	}
	return &login{ssh.ClientConfig{
		User: cmp.Or(ep.User, "git"), Auth: auth, Timeout: 20 * time.Second,
		HostKeyCallback: hosts.HostKeyCallback(), HostKeyAlgorithms: hosts.HostKeyAlgorithms(addressOf(ep)),
	}}, nil
}

// addressOf is HOST:PORT.
func addressOf(ep *transport.Endpoint) string {
	port := ep.Port
	if port <= 0 {
		port = gitssh.DefaultPort
	}
	return net.JoinHostPort(strings.Trim(ep.Host, "[]"), fmt.Sprint(port))
}

// parseKey never wraps the parser's error where it could quote the key.
func parseKey(spec remote.Spec) (ssh.Signer, error) {
	if spec.SSHPassphrase != "" {
		signer, err := ssh.ParsePrivateKeyWithPassphrase([]byte(spec.SSHKey), []byte(spec.SSHPassphrase))
		if err != nil {
			return nil, errors.New("the SSH key cannot be read with this passphrase")
		}
		return signer, nil
	}
	signer, err := ssh.ParsePrivateKey([]byte(spec.SSHKey))
	var missing *ssh.PassphraseMissingError
	if errors.As(err, &missing) {
		return nil, errors.New("the SSH key needs a passphrase: repo.auth.sshPassphraseFile")
	}
	if err != nil {
		return nil, errors.New("the SSH key cannot be read: it is no private key in PEM or OpenSSH form")
	}
	return signer, nil
}

// Name implements go-git's AuthMethod.
func (l *login) Name() string { return "ssh-key" }

// String implements go-git's AuthMethod: who logs in, and how, without a secret.
func (l *login) String() string { return l.config.User + " with a key" }

// ClientConfig gives a copy: go-git changes it.
func (l *login) ClientConfig() (*ssh.ClientConfig, error) {
	c := l.config
	return &c, nil
}

// sshError tells a refused login and a host that is not who it was from a
// network that is down.
func sshError(err error) error {
	switch {
	case knownhosts.IsHostKeyChanged(err):
		return fault.Hint(fault.As(fault.Blocked, errors.New("the host's SSH key is not the one in the known hosts: another host answers, or its key was replaced")),
			"compare the key with what the host publishes before you put it into repo.auth.knownHostsFile")
	case knownhosts.IsHostUnknown(err):
		return fault.Hint(fault.As(fault.Blocked, errors.New("the host is not among the known hosts")),
			"ssh-keyscan HOST, compare with what the host publishes, add it to repo.auth.knownHostsFile")
	case strings.Contains(err.Error(), "revoked"):
		return fault.As(fault.Blocked, errors.New("the host's SSH key is marked as revoked in the known hosts"))
	case strings.Contains(err.Error(), "unable to authenticate"):
		return fault.As(fault.Blocked, errors.New("the Git server refused the SSH key"))
	}
	return err
}
