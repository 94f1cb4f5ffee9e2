package notify

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"syncd.io/syncd/internal/egress"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/outbox"
	"syncd.io/syncd/internal/resource"
)

// How much of an answer is read, and shown where it is a refusal; in bytes.
const (
	answerBound  = 64 << 10
	refusalBound = 200
)

// mostWait is for how long a channel is left alone at its own word.
const mostWait = 24 * time.Hour

// request is one that a channel makes.
type request struct {
	method, url string
	body        []byte
	header      map[string]string
	user        *url.Userinfo
}

// do makes one request. No redirect is followed: neither what is told nor the secrets
// go anywhere else than the configuration says. The error says nothing of the URL,
// which may be a secret.
func (w web) do(ctx context.Context, r request, of secrets) error {
	roots, err := w.trust()
	if err != nil {
		return err
	}
	client := egress.Client(roots, w.conf.Limit())
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, r.method, r.url, bytes.NewReader(r.body))
	if err != nil {
		return fault.As(fault.Rejected, fmt.Errorf("the URL of channel %s cannot be asked", w.name))
	}
	req.Header.Set("User-Agent", "syncd")
	for key, value := range r.header {
		req.Header.Set(key, value)
	}
	if r.user != nil {
		password, _ := r.user.Password()
		req.SetBasicAuth(r.user.Username(), password)
	}
	res, err := client.Do(req)
	if err != nil {
		return w.unreached(err, of)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, answerBound))
	if res.StatusCode/100 == 2 {
		return nil // it was taken, whatever became of the rest of the answer
	}
	return w.refused(res, body, err, of)
}

// unreached is the error of a request without an answer. The URL that stands in Go's
// own is left out.
func (w web) unreached(err error, of secrets) error {
	said := resource.Concealer(of.all()).Replace(egress.Bare(err).Error())
	return fault.As(fault.Unreachable, fmt.Errorf("channel %s does not answer: %s", w.name, resource.Harmless(said, refusalBound)))
}

// refused is the error of an answer that is no success: whether another attempt can do
// better, and when.
func (w web) refused(res *http.Response, body []byte, cut error, of secrets) error {
	said := resource.Harmless(resource.Concealer(of.all()).Replace(string(body)), refusalBound)
	if cut != nil && said == "" {
		said = "the answer was cut off"
	}
	if said != "" {
		said = ": " + said
	}
	err := fmt.Errorf("channel %s answered %d%s", w.name, res.StatusCode, said)
	switch code := res.StatusCode; {
	case code/100 == 3:
		return fault.Hint(fault.As(fault.Rejected, fmt.Errorf("channel %s redirects%s, which is not followed", w.name, destination(res))), "if it is right, give that address in notify.channels."+w.name)
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable:
		return fault.As(fault.Unreachable, outbox.After(err, retryAfter(res.Header.Get("Retry-After"), body)))
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code/100 == 5:
		return fault.As(fault.Unreachable, err)
	default:
		return fault.Hint(fault.As(fault.Rejected, err), "check notify.channels."+w.name+": its address, and its token or password")
	}
}

// destination is the host that a redirect leads to: the rest may be a secret.
func destination(res *http.Response) string {
	to, err := res.Location()
	if err != nil {
		return ""
	}
	return " to " + resource.Harmless(to.Scheme+"://"+to.Host, refusalBound)
}

// retryAfter is for how long a channel wants to be left alone: as its header says, in
// seconds or as a date, or as the bodies of Telegram and Discord do.
func retryAfter(header string, body []byte) time.Duration {
	if wait, told := egress.RetryAfter(header, time.Now(), mostWait); told {
		return wait
	}
	var said struct {
		RetryAfter float64 `json:"retry_after"`
		Parameters struct {
			RetryAfter float64 `json:"retry_after"`
		} `json:"parameters"`
	}
	if json.Unmarshal(body, &said) != nil {
		return 0
	}
	seconds := max(said.RetryAfter, said.Parameters.RetryAfter)
	return time.Duration(min(max(seconds, 0), mostWait.Seconds()) * float64(time.Second))
}

// trust are the authorities that a channel's server is believed by; nil are the
// system's.
func (w web) trust() (*x509.CertPool, error) {
	pool, err := egress.Trust(w.conf.CAFile)
	if err != nil {
		return nil, fault.Hint(fault.As(fault.Blocked, fmt.Errorf("read the authority of channel %s: %w", w.name, err)), "check notify.channels."+w.name+".caFile")
	}
	return pool, nil
}
