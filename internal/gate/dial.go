package gate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"syncd.io/syncd/internal/nap"
)

// dialLimit is how long finding a backend's address may take, and how long
// connecting to it.
const dialLimit = time.Second

// dialer connects to backends.
type dialer struct {
	lookup lookup
	net    net.Dialer
}

// newDialer returns one that asks the system's resolver.
func newDialer() *dialer {
	resolver := &net.Resolver{PreferGo: true}
	return &dialer{lookup: resolver.LookupNetIP, net: net.Dialer{KeepAlive: -1, Control: outgoing}}
}

// dial connects to a member. While the gate itself lacks something, such as
// descriptors, it tries again until the limit.
func (d *dialer) dial(ctx context.Context, m *member) (net.Conn, error) {
	began := time.Now()
	for delay := 5 * time.Millisecond; ; delay *= 2 {
		conn, err := d.try(ctx, m)
		if err == nil {
			return conn, nil
		}
		if !lacking(err) || time.Since(began) > dialLimit || nap.For(ctx, delay) != nil {
			m.host.forget()
			return nil, fmt.Errorf("connect to backend %s: %w", m.backend.ID, err)
		}
	}
}

// try connects once. The kernel limits the time: a deadline of Go's costs two
// timers and a goroutine, a twentieth of what a connection costs in all. So ctx is
// only asked before. Not DialTCP, which would bind a local port for whatever
// destination first.
func (d *dialer) try(ctx context.Context, m *member) (net.Conn, error) {
	addr, err := m.host.address(ctx, d.lookup)
	if err = errors.Join(err, ctx.Err()); err != nil {
		return nil, err
	}
	to := netip.AddrPortFrom(addr, m.backend.Port).String()
	conn, err := d.net.DialContext(context.WithoutCancel(ctx), "tcp", to)
	if err != nil {
		return nil, err
	}
	if err := connected(conn.(*net.TCPConn)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}
