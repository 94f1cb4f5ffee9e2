package asked_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"syncd.io/syncd/internal/apply/asked"
)

// answering answers all requests with a status, or with an error.
type answering int

func (a answering) RoundTrip(*http.Request) (*http.Response, error) {
	if a == 0 {
		return nil, errors.New("no answer")
	}
	return &http.Response{StatusCode: int(a), Body: http.NoBody}, nil
}

func TestRequestsAreToldWithTheirOutcome(t *testing.T) {
	gone, end := context.WithCancel(t.Context())
	end()
	for _, c := range []struct {
		ctx    context.Context
		status answering
		want   string
	}{{t.Context(), 200, "ok"}, {t.Context(), 404, "refused"}, {t.Context(), 503, "failed"}, {t.Context(), 0, "unreachable"}, {gone, 0, "canceled"}} {
		var told []asked.Request
		trip := asked.Teller{
			RoundTripper: c.status, Verb: func(r *http.Request) string { return r.Method + " " + r.URL.Path },
			Tell: func(r asked.Request) { told = append(told, r) },
		}
		res, err := trip.RoundTrip(httptest.NewRequestWithContext(c.ctx, http.MethodGet, "/api/v1/pods", nil))
		if err == nil {
			_ = res.Body.Close()
		}
		if len(told) != 1 || told[0].Outcome != c.want || told[0].Verb != "GET /api/v1/pods" || told[0].Took < 0 {
			t.Errorf("status %d was told as %v, want %s", c.status, told, c.want)
		}
	}
}
