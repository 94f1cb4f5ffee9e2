package pull

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/net/http/httpproxy"

	"syncd.io/syncd/internal/egress"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/bound"
	"syncd.io/syncd/internal/source/chart"
)

// maxIndex bounds the index of a chart repository, in bytes. It is the longest
// answer that is read.
const maxIndex = 64 << 20

var (
	errPlain   = errors.New("plain http is not used, for it is neither private nor safe from changes on the way")
	errTooLong = fmt.Errorf("the answer is longer than %d MiB", maxIndex>>20)
)

// client asks servers for charts.
type client struct{ http *http.Client }

func newClient(req chart.Request) (client, error) {
	proxy := (&httpproxy.Config{HTTPProxy: req.Proxy.HTTP, HTTPSProxy: req.Proxy.HTTPS, NoProxy: req.Proxy.No}).ProxyFunc()
	base := &http.Transport{
		Proxy:                 func(r *http.Request) (*url.URL, error) { return proxy(r.URL) },
		DialContext:           (&net.Dialer{Timeout: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout:   15 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second,
		ForceAttemptHTTP2:     true,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if req.CA != "" {
		pool, err := egress.Authorities([]byte(req.CA))
		if err != nil {
			return client{}, fault.Hint(fault.As(fault.Blocked, fmt.Errorf("read the extra CA: %w", err)), "check the file that repo.auth.caFile names")
		}
		base.TLSClientConfig.RootCAs = pool
	}
	return client{&http.Client{Transport: careful{base}}}, nil
}

// careful asks over TLS only, but for servers on this machine, wherever redirects
// lead; and reads no endless answer.
type careful struct{ base http.RoundTripper }

// RoundTrip sends one request.
func (c careful) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" && !loopback(req.URL.Hostname()) {
		return nil, errPlain
	}
	res, err := c.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	res.Body = struct {
		io.Reader
		io.Closer
	}{&bound.Reader{R: res.Body, Left: maxIndex, Err: errTooLong}, res.Body}
	return res, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
