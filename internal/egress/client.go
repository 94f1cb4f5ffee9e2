// Package egress is what those share who ask servers outside on the agent's behalf: a
// client that goes nowhere else than it was told, who is believed, secrets that are read
// anew at each use, and how long a server wants to be left alone. Deadlines are the
// caller's.
package egress

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"
)

// The client's bounds: of an answer's headers, in bytes, and of what is kept open.
const (
	mostHeaders = 32 << 10
	mostIdle    = 2
	idle        = 30 * time.Second
)

// Client returns one that follows no redirect: neither what is sent nor what it is
// sent with goes anywhere else. Roots are who is believed, nil the system's; dial is the
// time to connect, zero the request's own. Whoever has no more use for it calls its
// CloseIdleConnections.
func Client(roots *x509.CertPool, dial time.Duration) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: dial}).DialContext,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, ForceAttemptHTTP2: true,
			MaxResponseHeaderBytes: mostHeaders, MaxIdleConns: mostIdle, IdleConnTimeout: idle,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Bare is an error of a request without its URL, which may be a secret.
func Bare(err error) error {
	var asked *url.Error
	if errors.As(err, &asked) {
		return asked.Err
	}
	return err
}
