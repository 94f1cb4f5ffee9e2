package heartbeat

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/egress"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// Bounds, in bytes: of what is read of an answer, and of what is shown of an error.
const (
	answerBound = 64 << 10
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
	client := egress.Client(roots, 0)
	defer client.CloseIdleConnections()
	if path != "" { // a plain beat goes where the URL leads, to the letter
		address = address.JoinPath(path)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return fault.As(fault.Rejected, errors.New("the URL of the heartbeat cannot be asked"))
	}
	req.Header.Set("User-Agent", "syncd")
	res, err := client.Do(req)
	if err != nil {
		return unreached(err, req.URL)
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
	said := resource.Concealer([]string{address.String(), address.RequestURI()}).Replace(egress.Bare(err).Error())
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
	if conf.URLFile+conf.URLEnv != "" {
		secret, err := egress.Secret(conf.URLFile, conf.URLEnv)
		if err != nil {
			return nil, blocked(fmt.Errorf("read the heartbeat's URL: %w", err), "see heartbeat.urlFile and urlEnv; the user that syncd runs as has to be able to read the file")
		}
		text = secret
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil, blocked(errors.New("the heartbeat's URL is none of http or https"), "see heartbeat.url, urlFile or urlEnv")
	}
	return u, nil
}

// trust are the authorities that the server is believed by; nil are the system's.
func trust(file string) (*x509.CertPool, error) {
	pool, err := egress.Trust(file)
	if err != nil {
		return nil, blocked(fmt.Errorf("read the authority of the heartbeat's server: %w", err), "check heartbeat.caFile")
	}
	return pool, nil
}

func blocked(err error, hint string) error { return fault.Hint(fault.As(fault.Blocked, err), hint) }
