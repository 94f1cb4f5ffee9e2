package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/user"
	"slices"
	"strconv"
	"syscall"

	"syncd.io/syncd/internal/resource"
)

// maxName bounds a person's name in the record, in bytes.
const maxName = 64

// role is what a peer may do.
type role int

const (
	stranger role = iota
	reader
	master
)

// peer is the other end of a connection, as the kernel knows it.
type peer struct {
	uid    int
	groups []int // the primary one and all others
	untold error // why the others are not known; nil where they are
}

// peerKey is the context key of a connection's peer.
type peerKey struct{}

// acquaint asks the kernel once per connection. A peer that it does not know is a
// stranger; one whose groups it does not tell has only its first.
func acquaint(log *slog.Logger, groupsOf func(fd int) ([]int, error)) func(context.Context, net.Conn) context.Context {
	return func(ctx context.Context, conn net.Conn) context.Context {
		p, err := peerOf(conn, groupsOf)
		if err != nil {
			log.Debug("the kernel does not tell who connects", "error", err)
			return ctx
		}
		if p.untold != nil {
			log.Debug("the kernel does not tell a peer's groups", "error", p.untold)
		}
		return context.WithValue(ctx, peerKey{}, p)
	}
}

// peerIn returns the connection's peer, false where the kernel did not tell.
func peerIn(ctx context.Context) (peer, bool) {
	p, ok := ctx.Value(peerKey{}).(peer)
	return p, ok
}

func peerOf(conn net.Conn, groupsOf func(fd int) ([]int, error)) (peer, error) {
	c, ok := conn.(*net.UnixConn)
	if !ok {
		return peer{}, errors.New("not a Unix socket")
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return peer{}, fmt.Errorf("ask who connects: %w", err)
	}
	var p peer
	var asked error
	err = raw.Control(func(fd uintptr) { p, asked = credentials(int(fd), groupsOf) })
	if err := errors.Join(err, asked); err != nil {
		return peer{}, fmt.Errorf("ask who connects: %w", err)
	}
	return p, nil
}

func credentials(fd int, groupsOf func(fd int) ([]int, error)) (peer, error) {
	cred, err := syscall.GetsockoptUcred(fd, syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	if err != nil {
		return peer{}, os.NewSyscallError("getsockopt SO_PEERCRED", err)
	}
	groups, err := groupsOf(fd) // none on a kernel before 4.13, and in gVisor
	return peer{uid: int(cred.Uid), groups: append(groups, int(cred.Gid)), untold: err}, nil
}

// role judges a peer: group is the ID of the group that may read.
func (p peer) role(group int) role {
	switch {
	case p.uid == 0 || p.uid == os.Getuid():
		return master
	case group != noGroup && slices.Contains(p.groups, group):
		return reader
	default:
		return stranger
	}
}

// name is what the record calls the peer. Only root, who could say anything
// anyway, may claim to act for somebody (SUDO_USER).
func (p peer) name(claimed string) string {
	claimed = resource.Harmless(claimed, maxName)
	if p.uid == 0 {
		return cmp.Or(claimed, "root")
	}
	id := strconv.Itoa(p.uid)
	if u, err := user.LookupId(id); err == nil && u.Username != "" {
		return u.Username
	}
	return "uid " + id
}
