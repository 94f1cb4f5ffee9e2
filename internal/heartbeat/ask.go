package heartbeat

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// Bounds, in bytes: of what is read of a file, of an answer, and of its headers.
const (
	secretBound = 16 << 10
	answerBound = 64 << 10
	headerBound = 32 << 10
	errorBound  = 200
)

// ask makes one request. No redirect is followed: the URL is a secret, and goes nowhere
// else. Errors never hold it.
func ask(ctx context.Context, conf config.Heartbeat, path string) error {
	address, err := addressOf(conf)
	if err != nil {
		return err
	}
	roots, err := trust(conf.CAFile)
	if err != nil {
		return err
	}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		DisableKeepAlives: true, MaxResponseHeaderBytes: headerBound, ForceAttemptHTTP2: true,
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	address.Path = strings.TrimSuffix(address.Path, "/") + path
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return fault.As(fault.Rejected, errors.New("the URL of the heartbeat cannot be asked"))
	}
	req.Header.Set("User-Agent", "syncd")
	res, err := client.Do(req)
	if err != nil {
		return unreached(err, address)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, answerBound)) // what it says besides is of no use
	switch res.StatusCode / 100 {
	case 2:
		return nil
	case 3:
		err := fmt.Errorf("the heartbeat's server answered %d, and no redirect is followed", res.StatusCode)
		return fault.Hint(fault.As(fault.Rejected, err), "if it is right, give that address as the heartbeat's URL")
	}
	return fault.Hint(fault.As(fault.Unreachable, fmt.Errorf("the heartbeat's server answered %d", res.StatusCode)), "check the heartbeat's URL")
}

// unreached is the error of a request without an answer. The URL that stands in Go's
// own is left out.
func unreached(err error, address *url.URL) error {
	var asked *url.Error
	if errors.As(err, &asked) {
		err = asked.Err
	}
	said := resource.Concealer([]string{address.String(), address.RequestURI()}).Replace(err.Error())
	return fault.As(fault.Unreachable, fmt.Errorf("the heartbeat's server does not answer: %s", resource.Harmless(said, errorBound)))
}

// Check tells whether the URL, and the authority, can be read. Nobody is asked.
func Check(conf config.Heartbeat) error {
	if _, err := addressOf(conf); err != nil {
		return err
	}
	_, err := trust(conf.CAFile)
	return err
}

// addressOf reads the URL anew: it may have been changed. Errors: Blocked; they never
// hold it.
func addressOf(conf config.Heartbeat) (*url.URL, error) {
	text := conf.URL
	switch {
	case conf.URLFile != "":
		data, err := readFile(conf.URLFile)
		if err != nil {
			return nil, blocked(fmt.Errorf("read the heartbeat's URL: %w", err), "heartbeat.urlFile names a file that the user that syncd runs as can read")
		}
		text = strings.TrimSpace(string(data))
	case conf.URLEnv != "":
		if text = strings.TrimSpace(os.Getenv(conf.URLEnv)); text == "" {
			return nil, blocked(fmt.Errorf("the environment has no %s", conf.URLEnv), "set it for the agent, or see heartbeat.urlEnv")
		}
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil, blocked(errors.New("the heartbeat's URL is none of http or https"), "see heartbeat.url, urlFile or urlEnv")
	}
	return u, nil
}

// trust are the authorities that the server is believed by; nil are the system's.
func trust(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := readFile(file)
	if err == nil {
		pool, failed := x509.SystemCertPool()
		if failed != nil {
			pool = x509.NewCertPool()
		}
		if pool.AppendCertsFromPEM(pem) {
			return pool, nil
		}
		err = errors.New("it holds no certificate in PEM")
	}
	return nil, blocked(fmt.Errorf("read the authority of the heartbeat's server: %w", err), "check heartbeat.caFile")
}

func blocked(err error, hint string) error { return fault.Hint(fault.As(fault.Blocked, err), hint) }

// readFile reads a regular file, up to a bound.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, secretBound))
}
