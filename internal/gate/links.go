package gate

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"syncd.io/syncd/internal/gate/http1"
)

// unused is how long a connection to a backend is kept that carries nothing.
const unused = 10 * time.Second

// errCut ends a request at the end of the drain.
var errCut = errors.New("cut at the end of the drain")

// links are the HTTP/2 connections to backends: each stay in the pool has its own.
type links struct {
	pool    *pool
	keepers sync.WaitGroup
	closed  chan struct{}

	mu     sync.Mutex
	byStay map[*stay]*http.Transport
}

func newLinks(p *pool) *links {
	return &links{pool: p, closed: make(chan struct{}), byStay: map[*stay]*http.Transport{}}
}

// RoundTrip sends a request to whom the pool gives. Where that one cannot be
// connected to, nothing of it was sent: somebody else gets it.
func (k *links) RoundTrip(r *http.Request) (*http.Response, error) {
	var refused []string
	var until time.Time
	for {
		l, err := k.pool.pick(r.Context(), wish(r), refused)
		if err != nil {
			return nil, err
		}
		res, err := k.send(r, l)
		if !missed(err) {
			return res, err
		}
		if err := k.pool.again(r.Context(), &until, err); err != nil {
			return nil, err
		}
		refused = append(refused, l.ID())
	}
}

// send sends a request to the backend of a lease, which ends with the response's
// body.
func (k *links) send(r *http.Request, l *lease) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	var cut atomic.Bool
	l.onCut(func() {
		cut.Store(true)
		cancel(errCut)
	})
	end := sync.OnceFunc(func() {
		l.Done(cut.Load())
		cancel(nil)
	})
	res, err := k.transport(l).RoundTrip(k.addressed(r.WithContext(ctx), l))
	if err != nil {
		l.miss(missed(err))
		end()
		return nil, err
	}
	if sticky, _ := r.Context().Value(stickyKey{}).(bool); sticky && wish(r) != l.ID() {
		res.Header.Add("Set-Cookie", (&http.Cookie{Name: stickyCookie, Value: l.ID(), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}).String())
	}
	res.Body = &lentBody{ReadCloser: res.Body, end: end}
	return res, nil
}

// addressed returns the request as one to the lease's backend. Its body stays
// open when that cannot be reached.
func (k *links) addressed(r *http.Request, l *lease) *http.Request {
	u := *r.URL
	u.Scheme, u.Host = "http", net.JoinHostPort(l.ID(), "80") // the dial knows better
	r.URL = &u
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = io.NopCloser(r.Body)
	}
	return r
}

// wish is the backend that the client's cookie names, if it counts here.
func wish(r *http.Request) string {
	if sticky, _ := r.Context().Value(stickyKey{}).(bool); !sticky {
		return ""
	}
	c, err := r.Cookie(stickyCookie)
	if err != nil {
		return ""
	}
	return c.Value
}

// transport returns the connections of a lease's stay.
func (k *links) transport(l *lease) *http.Transport {
	k.mu.Lock()
	defer k.mu.Unlock()
	if t := k.byStay[l.stay]; t != nil {
		return t
	}
	t := &http.Transport{
		Protocols: onlyH2C(), DisableCompression: true, IdleConnTimeout: unused,
		MaxResponseHeaderBytes: http1.DefaultHeaderLimit,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := k.pool.connect(ctx, l.member)
			if err != nil {
				return nil, &missError{err}
			}
			return conn, nil
		},
	}
	k.byStay[l.stay] = t
	k.keepers.Go(func() { k.keep(l.stay, t) })
	return t
}

// keep closes a stay's connections when nothing is in flight there any more.
func (k *links) keep(s *stay, t *http.Transport) {
	select {
	case <-s.drained:
	case <-k.closed:
	}
	k.mu.Lock()
	delete(k.byStay, s)
	k.mu.Unlock()
	t.CloseIdleConnections()
}

// close ends all connections. No request is in flight any more.
func (k *links) close() {
	close(k.closed)
	k.keepers.Wait()
}

// missError is a dial's: nothing has been sent.
type missError struct{ error }

// Unwrap returns the dial's own error.
func (e *missError) Unwrap() error { return e.error }

func missed(err error) bool {
	var m *missError
	return errors.As(err, &m)
}

// lentBody is a response's body; the lease ends with it.
type lentBody struct {
	io.ReadCloser
	end func()
}

// Close closes the body.
func (b *lentBody) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}
