package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"

	"syncd.io/syncd/internal/egress"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/bound"
)

// maxRedirects is how often one request may be sent on within its host.
const maxRedirects = 3

// errRedirect is in the chain of an error about a redirect that was not followed.
var errRedirect = errors.New("redirect refused")

// errAdvertised ends a ref advertisement that is too long.
var errAdvertised = errors.New("the server advertises too many refs")

// Client keeps one connection to an HTTP(S) server alive between polls.
type Client struct {
	base   *http.Transport
	client transport.Transport
}

// NewClient makes a client for servers that the CAs of spec, or the system's,
// vouch for. No answer is read beyond limit bytes.
func NewClient(spec Spec, limit int64) (*Client, error) {
	base := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 15 * time.Second,
		IdleConnTimeout:     3 * time.Minute,
		MaxIdleConns:        2,
		ForceAttemptHTTP2:   true,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if err := trust(base.TLSClientConfig, spec.CA); err != nil {
		return nil, err
	}
	if err := present(base.TLSClientConfig, spec); err != nil {
		return nil, err
	}
	if err := proxy(base, spec.Proxy); err != nil {
		return nil, err
	}
	hc := &http.Client{Transport: &bounded{base: base, limit: limit}, CheckRedirect: stay}
	return &Client{base: base, client: githttp.NewClient(hc)}, nil
}

// Close ends the idle connections.
func (c *Client) Close() { c.base.CloseIdleConnections() }

func trust(conf *tls.Config, ca string) error {
	if ca == "" {
		return nil
	}
	pool, err := egress.Authorities([]byte(ca))
	if err != nil {
		return fault.Hint(fault.As(fault.Blocked, fmt.Errorf("read the extra CA: %w", err)), "check the file that repo.auth.caFile names")
	}
	conf.RootCAs = pool
	return nil
}

// present shows the server a certificate, where there is one. The parser's error is
// not wrapped: it could quote the key.
func present(conf *tls.Config, spec Spec) error {
	if spec.ClientCert == "" && spec.ClientKey == "" {
		return nil
	}
	pair, err := tls.X509KeyPair([]byte(spec.ClientCert), []byte(spec.ClientKey))
	if err != nil {
		return fault.Hint(fault.As(fault.Blocked, errors.New("the client certificate and its key cannot be used: they are not in PEM, or do not belong together")),
			"check the files that repo.auth.clientCertFile and repo.auth.clientKeyFile name; a key with a passphrase cannot be used")
	}
	conf.Certificates = []tls.Certificate{pair}
	return nil
}

func proxy(base *http.Transport, raw string) error {
	if raw == "" {
		return nil
	}
	u, err := url.Parse(raw)
	if err != nil { // not wrapped: the error would quote the proxy's password
		return fault.As(fault.Blocked, errors.New("the proxy's URL cannot be read"))
	}
	base.Proxy = http.ProxyURL(u)
	return nil
}

// stay lets a redirect pass that stays on its host and does not leave TLS:
// neither credentials nor trust follow to anywhere else.
func stay(req *http.Request, via []*http.Request) error {
	first := via[0].URL
	switch {
	case len(via) > maxRedirects:
		return fmt.Errorf("%w: more than %d in a row", errRedirect, maxRedirects)
	case req.URL.Host != first.Host:
		return fmt.Errorf("%w: to another host, %.100q", errRedirect, req.URL.Host)
	case first.Scheme == "https" && req.URL.Scheme != "https":
		return fmt.Errorf("%w: from https to %.10q", errRedirect, req.URL.Scheme)
	}
	return nil
}

// Session opens an upload-pack session; nothing is sent yet.
func (c *Client) Session(spec Spec) (transport.UploadPackSession, error) {
	ep, err := transport.NewEndpoint(spec.URL)
	if err != nil {
		return nil, refuse(errors.New("repo.url is not a URL"), urlHint)
	}
	var auth transport.AuthMethod
	if spec.Password != "" {
		auth = &githttp.BasicAuth{Username: spec.Username, Password: spec.Password}
	}
	return c.client.NewUploadPackSession(ep, auth)
}

// Refs asks for the advertised refs: one request.
func (c *Client) Refs(ctx context.Context, spec Spec) (*packp.AdvRefs, error) {
	s, err := c.Session(spec)
	if err != nil {
		return nil, err
	}
	defer s.Close() // closes nothing over HTTP
	return s.AdvertisedReferencesContext(ctx)
}

// bounded limits every answer, and reads what is left of a short one, so that
// its connection can be used again.
type bounded struct {
	base  http.RoundTripper
	limit int64
}

// RoundTrip sends one request.
func (b *bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := b.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if busy := busyIn(res, time.Now()); busy != nil {
		return nil, errors.Join(busy, res.Body.Close())
	}
	res.Body = &body{bound.Reader{R: res.Body, Left: b.limit, Err: errAdvertised}, res.Body}
	return res, nil
}

// body is an answer that is bounded, and read to its end.
type body struct {
	bound.Reader
	whole io.ReadCloser
}

// Close reads at most 4 KiB that are left, then closes.
func (b *body) Close() error {
	_, err := io.CopyN(io.Discard, b.whole, 4<<10)
	if err != nil && !errors.Is(err, io.EOF) {
		_ = b.whole.Close() // the read error says more
		return nil          // what was wanted had been read
	}
	return b.whole.Close()
}
