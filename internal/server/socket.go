package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"syncd.io/syncd/internal/fault"
)

// noGroup is no group's ID.
const noGroup = -1

// maxSocket is how long a Unix socket's path may be on Linux, in bytes.
const maxSocket = 107

// dialLimit is how long an agent may take to accept a connection.
const dialLimit = 5 * time.Second

// listen takes the socket's place and returns the ID of the group that may read.
func listen(ctx context.Context, opts Options) (net.Listener, int, error) {
	if len(opts.Socket) > maxSocket {
		err := fmt.Errorf("listen on %s: the path is longer than %d bytes", opts.Socket, maxSocket)
		return nil, noGroup, fault.Hint(fault.As(fault.Blocked, err), "set socket in syncd.yaml, or --socket, to a shorter path")
	}
	if err := makeDir(filepath.Dir(opts.Socket)); err != nil {
		return nil, noGroup, err
	}
	if err := vacate(ctx, opts.Socket); err != nil {
		return nil, noGroup, err
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "unix", opts.Socket)
	if err != nil {
		return nil, noGroup, fmt.Errorf("listen on %s: %w", opts.Socket, err)
	}
	group := lookup(opts.Group)
	if err := hand(opts.Socket, group); err != nil {
		return nil, noGroup, errors.Join(err, listener.Close())
	}
	return listener, group, nil
}

// makeDir makes the socket's directory such that the group gets through,
// whatever the umask is. One that exists is left as it is.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fault.Hint(fault.As(fault.Blocked, fmt.Errorf("make the socket's directory: %w", err)), "run as root, or choose another place with --socket")
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return fmt.Errorf("make the socket's directory: %w", err)
	}
	return nil
}

// vacate removes the socket that a dead agent left. Where somebody answers, or
// where the file is no socket, it is an error.
func vacate(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look at the socket: %w", err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		err := fmt.Errorf("listen on %s: a file that is no socket lies there", path)
		return fault.Hint(fault.As(fault.Blocked, err), "move it away, or choose another place with --socket")
	}
	conn, err := dial(ctx, path)
	if err == nil {
		err = errors.Join(fmt.Errorf("listen on %s: another agent answers there", path), conn.Close())
		return fault.Hint(fault.As(fault.Blocked, err), "one agent is enough: see syncd status; for a second one choose another --socket and --state")
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fault.As(fault.Blocked, fmt.Errorf("see whether an agent answers at %s: %w", path, err))
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove the socket that a dead agent left: %w", err)
	}
	return nil
}

func dial(ctx context.Context, path string) (net.Conn, error) {
	d := net.Dialer{Timeout: dialLimit}
	return d.DialContext(ctx, "unix", path)
}

// lookup returns a group's ID, noGroup where the system does not know it.
func lookup(name string) int {
	if name == "" {
		return noGroup
	}
	g, err := user.LookupGroup(name)
	if err != nil {
		return noGroup
	}
	id, err := strconv.Atoi(g.Gid)
	if err != nil {
		return noGroup
	}
	return id
}

// hand gives the socket to its group. The moment before does no harm: every
// connection is judged by its peer.
func hand(path string, group int) error {
	mode := fs.FileMode(0o600)
	if group != noGroup {
		mode = 0o660
		if err := os.Lchown(path, os.Getuid(), group); err != nil {
			return fmt.Errorf("give the socket to its group: %w", err)
		}
	}
	if err := os.Chmod(path, mode); err != nil {
		return fmt.Errorf("set the socket's mode: %w", err)
	}
	return nil
}
