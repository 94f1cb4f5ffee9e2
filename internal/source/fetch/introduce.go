package fetch

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/source/remote"
)

// errMet ends a handshake once the host's key is seen: nobody logs in.
var errMet = errors.New("the host's key was seen")

// Introduce asks an SSH server for its key, without logging in, and returns the line
// that would make it known; nothing where the host is known by any key, also by
// another one: whether it is the right one is not judged here. A revoked key is
// Blocked.
func Introduce(ctx context.Context, req source.IntroduceRequest) (source.IntroduceAnswer, error) {
	ep, err := transport.NewEndpoint(req.Remote.URL)
	if err != nil {
		return source.IntroduceAnswer{}, fault.As(fault.Rejected, errors.New("repo.url is not a URL"))
	}
	hosts, err := knownHosts(req.Remote.KnownHosts)
	if err != nil {
		return source.IntroduceAnswer{}, fault.As(fault.Blocked, err)
	}
	address := addressOf(ep)
	if len(hosts.HostKeys(address)) > 0 {
		return source.IntroduceAnswer{}, nil
	}
	key, err := keyOf(ctx, address, hosts)
	if err != nil {
		return source.IntroduceAnswer{}, remote.Classify(sshError(err))
	}
	return source.IntroduceAnswer{Line: knownhosts.Line([]string{knownhosts.Normalize(address)}, key)}, nil
}

// keyOf is the key that the server at address proves to have. One that the known
// hosts refuse for another reason than that the host is not among them is an error.
func keyOf(ctx context.Context, address string, hosts *knownhosts.HostKeyDB) (ssh.PublicKey, error) {
	dialer := net.Dialer{Timeout: 20 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	var key ssh.PublicKey
	check := hosts.HostKeyCallback()
	conf := &ssh.ClientConfig{User: "git", HostKeyCallback: func(host string, from net.Addr, shown ssh.PublicKey) error {
		if err := check(host, from, shown); err != nil && !knownhosts.IsHostUnknown(err) {
			return err
		}
		key = shown
		return errMet
	}}
	_, _, _, err = ssh.NewClientConn(conn, address, conf)
	if key == nil {
		return nil, err
	}
	return key, nil
}
