package annotate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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

// Bounds, in bytes: of an answer, and of what is shown of it.
const (
	mostAnswer = 64 << 10
	mostShown  = 200
)

// addressOf is where marks are posted to.
func addressOf(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		err := errors.New("annotations.url: want Grafana's http or https URL, without a login")
		return "", fault.Hint(fault.As(fault.Rejected, err), "such as https://grafana.example.org; the token goes into annotations.tokenFile")
	}
	return u.JoinPath("api", "annotations").String(), nil
}

// Check tells whether an address is one, and whether the token can be read: from a
// file, or else from a variable of the environment. Errors: Rejected, Blocked.
func Check(address, file, env string) error {
	_, bad := addressOf(address)
	_, err := tokenOf(file, env)
	return errors.Join(bad, err)
}

// tokenOf is read anew each time; it is in no error. Where none is named there is none.
func tokenOf(file, env string) (string, error) {
	if file+env == "" {
		return "", nil
	}
	token, err := egress.Secret(file, env)
	if err != nil {
		return "", fault.Hint(fault.As(fault.Blocked, fmt.Errorf("read the token of annotations: %w", err)), "see annotations.tokenFile and tokenEnv; the user that syncd runs as has to be able to read the file")
	}
	return token, nil
}

// deliver posts one mark that is not there yet. The error is Rejected where another
// attempt could do no better.
func (a *Annotator) deliver(ctx context.Context, item outbox.Item) error {
	address, err := addressOf(a.opts.URL)
	if err != nil {
		return err
	}
	token, err := tokenOf(a.opts.TokenFile, a.opts.TokenEnv)
	if err != nil {
		return err
	}
	var m mark
	if err := json.Unmarshal(item.Body, &m); err != nil {
		return fault.As(fault.Rejected, fmt.Errorf("read a queued annotation: %w", err))
	}
	found, err := ask(ctx, token, http.MethodGet, address+"?"+m.query(), nil)
	if fault.Of(err) == fault.Unreachable {
		return err
	}
	if err == nil && m.among(found) { // its answer was lost, or another agent was here
		return nil
	}
	_, err = ask(ctx, token, http.MethodPost, address, item.Body)
	return err
}

// ask makes one request. No redirect is followed: the token is for Grafana alone.
func ask(ctx context.Context, token, method, address string, body []byte) (answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, fault.As(fault.Rejected, fmt.Errorf("annotate: %w", err))
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	client := egress.Client(nil, 0)
	defer client.CloseIdleConnections()
	res, err := client.Do(req)
	if err != nil {
		return nil, fault.As(fault.Unreachable, fmt.Errorf("annotate: %w", err))
	}
	defer res.Body.Close()
	answer, _ = io.ReadAll(io.LimitReader(res.Body, mostAnswer)) // the status says what became of it
	return answer, refused(res, resource.Harmless(resource.Concealer([]string{token}).Replace(string(answer)), mostShown))
}

// refused is the error of an answer that is no success.
func refused(res *http.Response, said string) error {
	err := fmt.Errorf("annotate: Grafana answers %s: %s", res.Status, said)
	switch code := res.StatusCode; {
	case code/100 == 2:
		return nil
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable:
		pause, _ := egress.RetryAfter(res.Header.Get("Retry-After"), time.Now(), time.Hour) // none is none
		return fault.As(fault.Unreachable, outbox.After(err, pause))
	case code == http.StatusRequestTimeout, code/100 == 5:
		return fault.As(fault.Unreachable, err)
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return fault.Hint(fault.As(fault.Rejected, err), "the token needs the permission annotations:create, as an editor's service account has it")
	}
	return fault.Hint(fault.As(fault.Rejected, err), "check annotations.url: "+res.Request.URL.Redacted())
}
