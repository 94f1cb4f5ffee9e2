// Package asked tells of the requests that an adapter makes: what was asked, what came of
// it, and how long it took.
package asked

import (
	"net/http"
	"time"
)

// Request is one request, and what came of it.
type Request struct {
	// Verb is what was asked, in the adapter's own words; it names no object.
	Verb string
	// Outcome is ok, refused (4xx), failed (5xx), unreachable, or canceled where nobody
	// waits for the answer any more.
	Outcome string
	// Took is the time to the head of the answer.
	Took time.Duration
}

// Teller is a RoundTripper that tells of each request.
type Teller struct {
	http.RoundTripper
	// Verb names a request.
	Verb func(*http.Request) string
	// Tell is told, in the goroutine of who asked.
	Tell func(Request)
}

// RoundTrip implements http.RoundTripper.
func (t Teller) RoundTrip(r *http.Request) (*http.Response, error) {
	begun := time.Now()
	res, err := t.RoundTripper.RoundTrip(r)
	t.Tell(Request{Verb: t.Verb(r), Outcome: outcomeOf(r, res, err), Took: time.Since(begun)})
	return res, err
}

// WrappedRoundTripper lets client-go find what is below.
func (t Teller) WrappedRoundTripper() http.RoundTripper { return t.RoundTripper }

func outcomeOf(r *http.Request, res *http.Response, err error) string {
	switch {
	case err != nil && r.Context().Err() != nil:
		return "canceled"
	case err != nil:
		return "unreachable"
	case res.StatusCode >= http.StatusInternalServerError:
		return "failed"
	case res.StatusCode >= http.StatusBadRequest:
		return "refused"
	}
	return "ok"
}
