package forge

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"syncd.io/syncd/internal/egress"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/outbox"
	"syncd.io/syncd/internal/resource"
)

// answered is the error of an answer: nil where the status is set, else whether
// another attempt can do better, and when.
func (d *destination) answered(s Status, got answer) error {
	code := got.code
	if code/100 == 2 || d.speak.well(s, code, got.body) {
		return nil
	}
	said := resource.Harmless(got.body, refusalBound)
	if said != "" {
		said = ": " + said
	}
	err := fmt.Errorf("%s answered %d to a status of %s%s", d.place, code, short(s.Commit), said)
	pause, limited := rateLimit(got)
	switch {
	case got.elsewhere != "":
		err = fmt.Errorf("%s redirects to %s, which is not followed", d.place, got.elsewhere)
		return hourly(fault.Hint(fault.As(fault.Blocked, err), "if it is right, give that address in feedback.url"))
	case limited:
		return fault.As(fault.Unreachable, outbox.After(err, pause))
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return hourly(fault.Hint(fault.As(fault.Blocked, err), d.tokenHint()))
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code/100 == 5:
		return fault.As(fault.Unreachable, outbox.After(err, pause))
	case code == http.StatusNotFound, code == http.StatusUnprocessableEntity:
		return fault.Hint(fault.As(fault.Rejected, err), "the commit is not there, or the repository is hidden from this token: see feedback.repository; commits of bundles and packs may be unknown there")
	default:
		return fault.Hint(fault.As(fault.Rejected, err), "check feedback.url and feedback.repository")
	}
}

// hourly lets what only a person can mend be tried again each hour.
func hourly(err error) error { return outbox.After(err, time.Hour) }

// unsaid is how long to wait where a limit does not say it: GitHub asks for a minute at
// least after a secondary rate limit.
const unsaid = time.Minute

// rateLimit tells whether an answer says that there were too many requests, and for
// how long it wants none: by Retry-After, in seconds or as a date; by GitHub's
// X-RateLimit-Reset, where nothing remains. Its secondary limits are 403 or 429, some
// of them only by their text.
func rateLimit(got answer) (pause time.Duration, limited bool) {
	pause, _ = egress.RetryAfter(got.header.Get("Retry-After"), time.Now(), time.Hour)
	remains, reset := remaining(got.header)
	switch code := got.code; {
	case code != http.StatusTooManyRequests && code != http.StatusForbidden && code != http.StatusServiceUnavailable:
		return pause, false
	case pause > 0:
		return pause, true
	case remains == "0" && !reset.IsZero():
		return max(time.Until(reset), time.Second), true
	case code == http.StatusTooManyRequests, code == http.StatusForbidden && strings.Contains(strings.ToLower(got.body), "rate limit"):
		return unsaid, true
	default:
		return 0, false
	}
}

// remaining is what is left of a limit, and when it begins anew: GitHub's headers, and
// GitLab's and Gitea's of the same meaning.
func remaining(h http.Header) (remains string, reset time.Time) {
	for _, prefix := range []string{"X-RateLimit-", "RateLimit-"} {
		if remains = h.Get(prefix + "Remaining"); remains == "" {
			continue
		}
		if seconds, err := strconv.ParseInt(h.Get(prefix+"Reset"), 10, 64); err == nil {
			reset = time.Unix(seconds, 0)
		}
		return remains, reset
	}
	return "", time.Time{}
}
