package gate

import (
	"fmt"
	"net"
	"runtime/debug"
)

// enter takes a client's connection, and carries it as the table says now.
func (g *Gate) enter(conn *net.TCPConn) {
	t := g.pool.accepted()
	g.crowd.enter(conn, func() { g.serve(conn, t.Mode, t.Sticky, t.ProxyProtocol) })
}

func (g *Gate) serve(conn *net.TCPConn, mode Mode, sticky, announce bool) {
	defer g.contain()
	if mode == HTTP {
		g.http.serve(g.open, conn, sticky)
		return
	}
	tcp := tcpMode{pool: g.pool, stock: g.stock, panicked: g.panicked}
	tcp.serve(g.life, conn, announce)
}

// notAccepted is told of an error of accepting.
func (g *Gate) notAccepted(err error) {
	g.pool.count(func(t *Totals) { t.AcceptErrors++ })
	g.opts.Log.Warn("not accepted", "error", err)
}

// contain ends one connection, and not the gate, where the gate's own code fails.
func (g *Gate) contain() {
	if failure := recover(); failure != nil {
		g.panicked(failure)
	}
}

func (g *Gate) panicked(failure any) {
	g.pool.count(func(t *Totals) { t.Panics++ })
	g.opts.Log.Error("a connection failed", "panic", fmt.Sprint(failure), "stack", string(debug.Stack()))
}
