package remote

import (
	"fmt"
	"net/http"
	"time"

	"syncd.io/syncd/internal/egress"
)

// MaxAfter bounds what a server can ask for: nobody is shut out for a day by one
// header.
const MaxAfter = 15 * time.Minute

// Busy is the word of a server that wants to be asked again later. fault.After tells of
// an error that was classified when that is.
type Busy struct {
	// Status is the answer's HTTP status, After how long the server wants to be left
	// alone; zero where it has not said.
	Status int
	After  time.Duration
}

// Error says it in words.
func (b *Busy) Error() string {
	text := fmt.Sprintf("the Git server answers %d (%s)", b.Status, http.StatusText(b.Status))
	if b.After > 0 {
		text += fmt.Sprintf(" and wants to be left alone for %v", b.After)
	}
	return text
}

// busyIn reads an answer; nil where the server is not busy.
func busyIn(res *http.Response, now time.Time) *Busy {
	if res.StatusCode != http.StatusTooManyRequests && res.StatusCode != http.StatusServiceUnavailable {
		return nil
	}
	after, _ := egress.RetryAfter(res.Header.Get("Retry-After"), now, MaxAfter) // zero where it says nothing
	return &Busy{Status: res.StatusCode, After: after}
}
