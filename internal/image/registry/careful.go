package registry

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

const (
	connectLimit = 10 * time.Second
	answerLimit  = 30 * time.Second
	// silence is for how long a registry may send nothing in the middle of a blob.
	silence = time.Minute
)

var (
	errPlain  = errors.New("plain http is used for addresses that begin with http:// only")
	errSilent = errors.New("it has sent nothing for a minute")
)

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: connectLimit}).DialContext,
		TLSHandshakeTimeout:   connectLimit,
		ResponseHeaderTimeout: answerLimit,
		IdleConnTimeout:       answerLimit,
		ForceAttemptHTTP2:     true,
	}
}

// careful is what every request to a place passes last.
type careful struct {
	base http.RoundTripper
	// scheme and host are the place's; serves is the registry that it is a mirror of.
	scheme, host, serves string
}

// RoundTrip uses plain HTTP only where the place's address says so, hands no login
// to where a redirect leads, and tells a mirror whose image is meant.
func (c careful) RoundTrip(in *http.Request) (*http.Response, error) {
	req := in.Clone(in.Context())
	at := req.URL.Host == c.host
	if at { // whatever the library tries by itself
		req.URL.Scheme = c.scheme
	}
	switch {
	case !at && req.URL.Scheme != "https" && c.scheme == "https":
		return nil, errPlain
	case !at && in.Response != nil:
		req.Header.Del("Authorization")
	case at && c.serves != "" && strings.HasPrefix(req.URL.Path, "/v2/") && req.URL.Path != "/v2/":
		query := req.URL.Query()
		query.Set("ns", c.serves)
		req.URL.RawQuery = query.Encode()
	}
	ctx, end := context.WithCancelCause(req.Context())
	res, err := c.base.RoundTrip(req.WithContext(ctx))
	if err != nil {
		end(nil)
		return nil, err
	}
	res.Request = req
	res.Body = &watched{body: res.Body, end: end, ctx: ctx, timer: time.AfterFunc(silence, func() { end(errSilent) })}
	return res, nil
}

// watched is a body that ends when nothing comes for long.
type watched struct {
	body  io.ReadCloser
	ctx   context.Context //nolint:containedctx // it is the request's, and ends with the body
	end   context.CancelCauseFunc
	timer *time.Timer
}

// Read reads, and puts the end off.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	if n > 0 {
		w.timer.Reset(silence)
	}
	if err != nil && !errors.Is(err, io.EOF) && errors.Is(context.Cause(w.ctx), errSilent) {
		return n, errSilent
	}
	return n, err
}

// Close ends the request.
func (w *watched) Close() error {
	w.timer.Stop()
	err := w.body.Close()
	w.end(nil)
	return err
}
