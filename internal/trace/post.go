package trace

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"syncd.io/syncd/internal/egress"
	"syncd.io/syncd/internal/fault"
)

// mostAnswer is how much of an answer is read, in bytes.
const mostAnswer = 64 << 10

// endpointOf is where requests go.
func endpointOf(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		err := errors.New("traces.endpoint: want the http or https URL of a collector, without a login or a query")
		return "", fault.Hint(fault.As(fault.Rejected, err), "such as http://127.0.0.1:4318; a token goes into traces.headersFile")
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/traces"
	}
	return u.String(), nil
}

// headersOf reads lines NAME: VALUE; empty ones and those that begin with # are left
// out. What they say is in no error.
func headersOf(path string) (http.Header, error) {
	headers := http.Header{}
	if path == "" {
		return headers, nil
	}
	text, err := egress.File(path, egress.SecretBound)
	if err != nil {
		return nil, fault.Hint(fault.As(fault.Rejected, fmt.Errorf("read traces.headersFile: %w", err)), "see that the agent may read it")
	}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || !token(name) {
			err := fmt.Errorf("traces.headersFile %s: line %d is no header", path, number)
			return nil, fault.Hint(fault.As(fault.Rejected, err), "each line is NAME: VALUE, such as Authorization: Bearer TOKEN")
		}
		headers.Add(name, strings.TrimSpace(value))
	}
	return headers, nil
}

func token(name string) bool {
	return name != "" && strings.IndexFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.", r)
	}) < 0
}

// post makes one request, and tells whether another one may do better.
func (e *Exporter) post(ctx context.Context, body []byte) (again bool, err error) {
	headers, err := headersOf(e.opts.HeadersFile)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.opts.Endpoint, bytes.NewReader(body))
	if err != nil {
		return false, fmt.Errorf("send traces: %w", err)
	}
	req.Header = headers
	req.Header.Set("Content-Type", "application/json")
	res, err := e.web.Do(req)
	if err != nil {
		return true, fault.As(fault.Unreachable, fmt.Errorf("send traces: %w", err))
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, mostAnswer)) // it may say more, and need not
	switch res.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		return false, refused(text)
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		again = true
	}
	return again, fault.As(fault.Rejected, fmt.Errorf("send traces: %s answers %s", req.URL.Redacted(), res.Status))
}

// refused is an error where a collector took less than all.
func refused(answer []byte) error {
	var said struct {
		Partial struct {
			Refused json.Number `json:"rejectedSpans"`
		} `json:"partialSuccess"`
	}
	understood := json.Unmarshal(answer, &said) == nil // who says nothing took all
	if understood && said.Partial.Refused != "" && said.Partial.Refused != "0" {
		return fault.As(fault.Rejected, fmt.Errorf("send traces: the collector refused %.20s spans", said.Partial.Refused))
	}
	return nil
}
