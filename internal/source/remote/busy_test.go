package remote

import (
	"net/http"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, " 120 ": 2 * time.Minute, "-5": 0, "1.5": 0, "soon": 0,
		"86400": MaxAfter, "99999999999999999": MaxAfter, "99999999999999999999999": 0,
		"Sun, 01 Mar 2026 12:01:30 GMT": 90 * time.Second, "Sun, 01 Mar 2026 11:00:00 GMT": 0, "Sun, 01 Mar 2126 11:00:00 GMT": MaxAfter,
	} {
		res := &http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {header}}}
		if got := busyIn(res, now); got == nil || got.After != want {
			t.Errorf("%q is %v, want %v", header, got, want)
		}
	}
	for status, busy := range map[int]bool{200: false, 401: false, 500: false, 429: true, 503: true} {
		res := &http.Response{StatusCode: status, Header: http.Header{"Retry-After": {"7"}}}
		if got := busyIn(res, now); (got != nil) != busy {
			t.Errorf("%d: %v", status, got)
		}
	}
}
