package gate

import (
	"context"
	"net"
	"time"
)

// tcpMode carries connections.
type tcpMode struct {
	pool     *pool
	stock    *stock
	panicked func(any)
}

// serve carries one client's connection to its end. Where nobody can be reached
// the client sees a reset, as from a port that is closed. announce tells the
// backend who the client is.
func (m tcpMode) serve(ctx context.Context, client *net.TCPConn, announce bool) {
	l, backend, err := m.reach(ctx)
	if err != nil {
		reset(client)
		return
	}
	t := &tunnel{client: client, backend: backend, stock: m.stock, panicked: m.panicked}
	defer func() {
		t.abort() // closed already, but for a panic
		l.Done(t.cut.Load())
	}()
	l.onCut(t.sever)
	if announce && !t.announce() {
		return
	}
	t.run()
}

// announce sends the backend the client's address.
func (t *tunnel) announce() bool {
	_, err := t.backend.Write(proxyHeader(endpoints(t.client)))
	return err == nil
}

// reach connects to whom the pool gives, and where that fails to somebody else,
// for as long as one may wait for a backend.
func (m tcpMode) reach(ctx context.Context) (*lease, *net.TCPConn, error) {
	var refused []string
	var until time.Time
	for {
		l, err := m.pool.pick(ctx, "", refused)
		if err != nil {
			return nil, nil, err
		}
		conn, err := l.Dial(ctx)
		if err == nil {
			return l, conn.(*net.TCPConn), nil
		}
		l.Done(false)
		if err := m.pool.again(ctx, &until, err); err != nil {
			return nil, nil, err
		}
		refused = append(refused, l.ID())
	}
}
