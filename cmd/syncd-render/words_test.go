package main

import (
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/notify"
	"syncd.io/syncd/internal/sandbox"
)

// TestWordsAreMadeByTemplates has the real child make texts of what people are told: all
// that a fact has comes to the template, and one that goes on for ever ends.
func TestWordsAreMadeByTemplates(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	child := build(t)
	at := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	m := notify.Message{Host: "prod-1", Counts: map[string]int{"applied": 1}, Facts: []notify.Told{{
		Event: "applied", Severity: notify.Info, Fact: notify.Fact{App: "shop", At: at, Revision: notify.Revision{Commit: "1a2b3c4d5e6f7a8b"}},
	}}}
	draft := func(template string, limit time.Duration) (texts []string, err error) {
		err = child.Call(t.Context(), notify.DraftOp, notify.Draft{Template: template, About: []notify.Message{m}}, &texts, sandbox.Limits{
			Time: limit, TimeoutClass: fault.Rejected, Memory: 512 << 20, Output: 1 << 20,
		})
		return texts, err
	}
	texts, err := draft(`{{range .Facts}}{{.App}} {{short .Revision.Commit}} {{.Revision.Short}} {{.At.Format "15:04"}} {{index $.Counts .Event}}{{end}}`, time.Minute)
	if want := "shop 1a2b3c4d5e 1a2b3c4d5e 03:02 1"; err != nil || len(texts) != 1 || texts[0] != want {
		t.Errorf("%q %v, want %q", texts, err, want)
	}
	if _, err := draft("{{.Nothing}}", time.Minute); fault.Of(err) != fault.Rejected {
		t.Errorf("a field that is not there: %v", err)
	}
	if texts, err := draft("{{range 1000000000000}}{{end}}", time.Second); err == nil {
		t.Errorf("it has ended: %q", texts)
	}
}
