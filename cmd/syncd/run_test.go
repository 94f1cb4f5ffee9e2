package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/cmd/syncd/internal/show"
	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/docker"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/source"
)

func TestOneLogLinePerPassThatFoundSomething(t *testing.T) {
	var out bytes.Buffer
	c := newCLI(nil, nil, &out)
	log, err := c.logger("auto", "info")
	if err != nil {
		t.Fatal(err)
	}
	tell := tellTo(log)
	key := resource.Key{Kind: "container", Namespace: "web", Name: "1"}
	tell(reconcile.Event{App: "shop", Step: &apply.Event{Step: apply.Step{Verb: apply.Put, Key: key}, Phase: apply.Done}})
	tell(reconcile.Event{App: "shop", Result: &reconcile.Result{App: "shop", Outcome: reconcile.Unchanged}})
	if out.Len() > 0 {
		t.Errorf("what changed nothing is logged: %s", out.String())
	}
	tell(reconcile.Event{App: "shop", Result: &reconcile.Result{
		App: "shop", Outcome: reconcile.RolledBack, Reason: "exit 1\n\x1b[2J", Hint: "mend it", Cause: reconcile.CauseWindow, Duration: resource.Duration(time.Second),
		Phases:   reconcile.Phases{Render: resource.Duration(time.Millisecond), Soak: resource.Duration(2 * time.Second)},
		Revision: source.Revision{Commit: strings.Repeat("ab", 20), Author: "Ann"},
	}})
	tell(reconcile.Event{App: "shop", Result: &reconcile.Result{App: "shop", Outcome: reconcile.Halted}})
	tell(reconcile.Event{Text: "the repository cannot be read"})
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("got %d lines:\n%s", len(lines), out.String())
	}
	var first map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &first); err != nil {
		t.Fatal(err)
	}
	for k, want := range map[string]any{"level": "WARN", "msg": "pass", "app": "shop", "outcome": "rolled back", "revision": "ababababab", "took": "1s", "reason": "exit 1", "hint": "mend it", "author": "Ann", "cause": reconcile.CauseWindow, "render": "1ms", "soak": "2s", "observe": nil} {
		if first[k] != want {
			t.Errorf("%s is %v, want %v", k, first[k], want)
		}
	}
	if !strings.Contains(lines[1], `"level":"ERROR"`) || !strings.Contains(lines[2], `"level":"WARN"`) {
		t.Errorf("got %s", out.String())
	}
}

func TestDebugExplainsWhatIsDecided(t *testing.T) {
	for level, want := range map[string]int{"debug": 4, "info": 0, "warn": 0, "error": 0} {
		var out bytes.Buffer
		log, err := newCLI(nil, nil, &out).logger("json", level)
		if err != nil {
			t.Fatal(err)
		}
		if why := because(log); why != nil {
			why("shop", "not rendered: nothing that it reads has changed")
			why("", "the repository was looked at: it is at 0123456789 still")
		}
		tell := tellTo(log)
		for range 2 {
			tell(reconcile.Event{App: "shop", Result: &reconcile.Result{App: "shop", Outcome: reconcile.Unchanged}})
		}
		if got := strings.Count(out.String(), "\n"); got != want || strings.Count(out.String(), `"level":"DEBUG"`) != want {
			t.Errorf("at level %s the log has:\n%s", level, out.String())
		}
	}
	if _, err := newCLI(nil, nil, nil).logger("json", "loud"); fault.Advice(err) != "use debug, info, warn or error" {
		t.Errorf("an unknown level: %v", err)
	}
}

func TestPullsAreToldInAFewEvents(t *testing.T) {
	var told []string
	take := pulls(func(e reconcile.Event) { told = append(told, e.Text) })
	take(docker.Progress{Image: "shop:2", Status: "Pulling from shop"})
	for i := range int64(100) {
		take(docker.Progress{Image: "shop:2", Layer: "a", Status: "Downloading", Current: i, Total: 100})
		take(docker.Progress{Image: "shop:2", Layer: "b", Status: "Downloading", Current: i, Total: 100})
	}
	if len(told) < 10 || len(told) > 20 || told[0] != "pulling shop:2" || told[len(told)-1] != "pulling shop:2 (90 %)" {
		t.Errorf("told %q", told)
	}
	if pulls(nil) != nil {
		t.Error("somebody listens for nobody")
	}
}

func TestRedrawnLinesReplaceThoseBefore(t *testing.T) {
	var out bytes.Buffer
	l := &live{out: &out, board: show.NewBoard(show.Style{})}
	l.hear(reconcile.Event{App: "shop", Text: "one"})
	l.hear(reconcile.Event{App: "shop", Text: "one"})
	l.hear(reconcile.Event{App: "blog", Text: "two"})
	l.end()
	l.end()
	want := "shop  one\n" + "\x1b[1A\r\x1b[Jshop  one\nblog  two\n" + "\x1b[2A\r\x1b[J"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestTheClockIsComparedWithTheServers(t *testing.T) {
	for _, tt := range []struct {
		off  time.Duration
		ok   bool
		want string
	}{{0, true, "within"}, {-time.Hour, false, "1h0m"}, {time.Hour, false, "1h0m"}} {
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", time.Now().Add(tt.off).UTC().Format(http.TimeFormat))
		}))
		f := checkClock(t.Context(), config.Repo{URL: web.URL + "/x.git"})
		web.Close()
		if f.OK != tt.ok || !strings.Contains(f.Detail, tt.want) && !strings.Contains(f.Detail, "59m5") {
			t.Errorf("off by %v: %+v", tt.off, f)
		}
	}
	if f := checkClock(t.Context(), config.Repo{URL: "git@git.example.org:x.git"}); !f.OK || !strings.Contains(f.Detail, "not compared") {
		t.Errorf("over SSH: %+v", f)
	}
}

func TestUntilIsATimeToCome(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"": {}, "2h": now.Add(2 * time.Hour), "2026-01-02T00:00:00Z": now.Add(12 * time.Hour),
		"-2h": {}, "0s": {}, "2025-01-01T00:00:00Z": {}, "tomorrow": {},
	} {
		got, err := untilTime(text, now)
		if !got.Equal(want) || (err == nil) != (text == "" || !want.IsZero()) {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
}

func TestMeminfoIsReadInBytes(t *testing.T) {
	text := "MemTotal:       24685364 kB\nMemFree:        1 kB\nMemAvailable:   20000 kB\n"
	for key, want := range map[string]int64{"MemTotal": 24685364 << 10, "MemAvailable": 20000 << 10, "Mem": 0, "Swap": 0} {
		if got := meminfo(text, key); got != want {
			t.Errorf("%s is %d, want %d", key, got, want)
		}
	}
}

func TestStatusWordsBecomeExitCodes(t *testing.T) {
	for word, want := range map[reconcile.Word]int{
		reconcile.Synced: 0, reconcile.OutOfSync: 5, reconcile.Progressing: 3, reconcile.WRolledBack: 3,
		reconcile.WHeld: 3, reconcile.WHalted: 4, reconcile.WBlocked: 5, reconcile.WPaused: 5, reconcile.Unknown: 1,
	} {
		st := reconcile.Status{Apps: []reconcile.AppStatus{{Status: word, Health: reconcile.Healthy}}}
		if got := statusCode(st); got != want {
			t.Errorf("%s ends with %d, want %d", word, got, want)
		}
	}
}

func TestAWordThatIsGrantedIsNoFailure(t *testing.T) {
	for _, tt := range []struct {
		verb    string
		outcome reconcile.Outcome
		want    int
	}{
		{"pause", reconcile.Paused, 0}, {"resume", reconcile.Paused, 5}, {"rollback", reconcile.Held, 0}, {"rollback", reconcile.Applied, 0},
		{"rollback", reconcile.Halted, 4}, {"retry", reconcile.RolledBack, 3}, {"approve", reconcile.Blocked, 5}, {"adopt", reconcile.Rejected, 1},
	} {
		if got := actCode(tt.verb, tt.outcome); got != tt.want {
			t.Errorf("%s that ends %s exits with %d, want %d", tt.verb, tt.outcome, got, tt.want)
		}
	}
}
