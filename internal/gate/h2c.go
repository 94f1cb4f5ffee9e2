package gate

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"

	"syncd.io/syncd/internal/gate/http1"
)

// stickyCookie is the cookie that keeps a client at its backend, as in http1.
const stickyCookie = "syncd-gate"

// h2c carries the requests of clients that speak HTTP/2 without TLS and without
// asking first, as gRPC clients do, to backends that they suppose to do so too.
type h2c struct {
	server *http.Server
	doors  *handedOver
	links  *links
	runs   sync.WaitGroup
}

// stickyKey is the context key of whether a connection's clients are sticky.
type stickyKey struct{}

func newH2C(p *pool, log *slog.Logger) *h2c {
	h := &h2c{doors: &handedOver{conns: make(chan *handed), closed: make(chan struct{})}, links: newLinks(p)}
	quiet := slog.NewLogLogger(log.Handler(), slog.LevelDebug)
	h.server = &http.Server{
		Handler: &httputil.ReverseProxy{
			Rewrite: forward, Transport: h.links, FlushInterval: -1, ErrorHandler: refuse, ErrorLog: quiet,
		},
		Protocols:         onlyH2C(),
		MaxHeaderBytes:    http1.DefaultHeaderLimit,
		ReadHeaderTimeout: http1.DefaultHeaderTimeout,
		IdleTimeout:       http1.DefaultIdleTimeout,
		ErrorLog:          quiet,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, stickyKey{}, c.(*handed).sticky)
		},
	}
	h.runs.Go(func() {
		if err := h.server.Serve(h.doors); !errors.Is(err, http.ErrServerClosed) {
			log.Error("HTTP/2 has ended", "error", err)
		}
	})
	return h
}

func onlyH2C() *http.Protocols {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	return p
}

// serve returns what carries a connection to its end, and closes it.
func (h *h2c) serve(sticky bool) func(context.Context, net.Conn) error {
	return func(_ context.Context, conn net.Conn) error {
		c := &handed{Conn: conn, sticky: sticky, done: make(chan struct{})}
		select {
		case h.doors.conns <- c:
			<-c.done
			return nil
		case <-h.doors.closed:
			return conn.Close()
		}
	}
}

// end tells clients to go elsewhere (GOAWAY); those with a request in flight have
// until ctx ends.
func (h *h2c) end(ctx context.Context) {
	h.runs.Go(func() { _ = h.server.Shutdown(ctx) }) // it says only that ctx has ended
}

func (h *h2c) close() {
	_ = h.server.Close()
	h.runs.Wait()
	h.links.close()
}

// forward makes a client's request one to a backend. The headers are those that
// HTTP/1.1 requests get: an earlier proxy's word on host and protocol counts.
func forward(r *httputil.ProxyRequest) {
	r.Out.Host = r.In.Host
	r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
	r.SetXForwarded()
	for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Proto"} {
		if said := r.In.Header[name]; len(said) > 0 {
			r.Out.Header[name] = said
		}
	}
}

// refuse answers where no backend did.
func refuse(w http.ResponseWriter, _ *http.Request, err error) {
	status := http.StatusBadGateway
	if errors.Is(err, errRefused) || errors.Is(err, errTooLong) || errors.Is(err, errTooMany) || errors.Is(err, errClosed) {
		w.Header().Set("Retry-After", "1")
		status = http.StatusServiceUnavailable
	}
	http.Error(w, "syncd-gate: "+err.Error(), status)
}

// handedOver is a listener for connections that somebody else has accepted.
type handedOver struct {
	conns  chan *handed
	once   sync.Once
	closed chan struct{}
}

// handed is such a connection; done is closed with it.
type handed struct {
	net.Conn
	sticky bool
	once   sync.Once
	done   chan struct{}
}

// Accept returns the next connection that was handed over; net.ErrClosed once it
// is closed.
func (l *handedOver) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept; connections go on.
func (l *handedOver) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr is nobody's: the gate's door has it.
func (l *handedOver) Addr() net.Addr { return &net.TCPAddr{} }

// Close closes the connection.
func (c *handed) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { close(c.done) })
	return err
}
