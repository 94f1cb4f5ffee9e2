package notify

import (
	"strings"
	"testing"
	"time"
	"unicode"
)

// Whatever a receiver answers, it is left alone for a time that makes sense.
func FuzzRetryAfter(f *testing.F) {
	f.Add("120", `{"retry_after": 1.5}`)
	f.Add("Mon, 01 Jan 2001 00:00:00 GMT", `{"parameters":{"retry_after":31}}`)
	f.Fuzz(func(t *testing.T, header, body string) {
		if got := retryAfter(header, []byte(body)); got > 24*time.Hour {
			t.Errorf("%q %q: %v", header, body, got)
		}
	})
}

// Whatever strangers have written, what is told of it is bounded, and no line of it
// does anything to a terminal.
func FuzzText(f *testing.F) {
	f.Add("shop", "why\x1b[31m", "Jane\r\nBcc: x", "container/web/1 missing")
	f.Fuzz(func(t *testing.T, app, reason, author, finding string) {
		told, ok := toldOf(Fact{App: app, Kind: "drift", Outcome: "opened", Reason: reason, Findings: []string{finding}, Revision: Revision{Commit: "1", Author: author}})
		if !ok {
			t.Fatal("it is nothing")
		}
		g := group{}
		g.add(told, time.Now())
		m := g.message(route{}, "prod-1", time.Now())
		if strings.ContainsFunc(m.Title, unicode.IsControl) || len(m.Text) > 4000 ||
			strings.ContainsFunc(m.Text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }) {
			t.Errorf("%q %q", m.Title, m.Text)
		}
	})
}
