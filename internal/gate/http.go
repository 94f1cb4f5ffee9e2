package gate

import (
	"context"
	"log/slog"
	"net"

	"syncd.io/syncd/internal/gate/http1"
)

// httpMode carries requests.
type httpMode struct {
	plain, sticky *http1.Proxy
	h2            *h2c
}

func newHTTPMode(p *pool, log *slog.Logger) *httpMode {
	h := newH2C(p, log)
	return &httpMode{
		plain:  &http1.Proxy{Pool: p, HTTP2: h.serve(false)},
		sticky: &http1.Proxy{Pool: p, HTTP2: h.serve(true), Sticky: true},
		h2:     h,
	}
}

// serve carries one client's requests until its connection ends. After the end
// of ctx that is after the request in flight.
func (m *httpMode) serve(ctx context.Context, client *net.TCPConn, sticky bool) {
	proxy := m.plain
	if sticky {
		proxy = m.sticky
	}
	_ = proxy.Serve(ctx, client) // what a client did wrong, it was told
}

// end lets no more requests come; it does not wait for those in flight, which
// have until ctx ends.
func (m *httpMode) end(ctx context.Context) { m.h2.end(ctx) }

// close ends what is left. No connection is served any more.
func (m *httpMode) close() {
	_ = m.plain.Close()
	_ = m.sticky.Close()
	m.h2.close()
}
