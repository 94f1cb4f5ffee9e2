package egress

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// RetryAfter reads a Retry-After header, seconds or a date (RFC 9110, 10.2.3): for how
// long from now a server wants to be left alone, at most so long. Said is false where it
// says nothing that makes sense.
func RetryAfter(header string, now time.Time, most time.Duration) (wait time.Duration, said bool) {
	header = strings.TrimSpace(header)
	if seconds, err := strconv.ParseInt(header, 10, 64); err == nil && seconds >= 0 {
		return min(time.Duration(min(seconds, int64(most/time.Second)))*time.Second, most), true
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0, false
	}
	return max(0, min(at.Sub(now), most)).Round(time.Second), true
}
