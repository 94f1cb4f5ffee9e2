package notify

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

func TestATemplateThatFailsIsRefusedAtTheStart(t *testing.T) {
	for text, says := range map[string]string{
		"{{.Host":                         "unclosed action",
		"{{.Hots}}":                       "Hots",
		"{{range .Facts}}{{.Ap}}{{end}}":  "Ap",
		"{{index .Facts 1}}":              "out of range",
		"{{.Counts.nothing}}":             "nothing",
		"{{/* nothing */}}":               "empty text",
		"{{range 100000}}too much{{end}}": "more than 16384 bytes",
		`{{define "x"}}{{template "x"}}{{end}}{{template "x"}}`: "maximum template depth",
	} {
		_, err := Check(t.Context(), config.Notify{Routes: []config.Route{{Name: "ops", Template: text}}}, nil, inProcess)
		if err == nil || fault.Of(err) != fault.Rejected || !strings.Contains(err.Error(), "the template of route ops") || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestATemplateMakesTheText(t *testing.T) {
	bubble(t, toOps(config.Route{Template: "{{range .Facts}}{{.App}} {{upper .Event}} {{short .Revision.Commit}}\x1b[31m\n  {{.Reason}}\n{{end}}"}), func(p *place) {
		p.happens(time.Minute, sync1("shop", "rejected", "no \x1b]0;title\x07image"))
		if m := p.told["ops"].list[0]; m.Text != "shop REJECTED 1a2b3c4d5e\n  no ]0;titleimage" || m.Title != "prod-1: shop rejected" {
			t.Errorf("%q %q", m.Title, m.Text)
		}
	})
}

// One that fails later is replaced by what would be said without it, which says so.
func TestATemplateThatFailsLaterIsReplaced(t *testing.T) {
	bubble(t, toOps(config.Route{Name: "all", Template: `{{range .Facts}}{{slice .Revision.Commit 0 40}}{{end}}`}), func(p *place) {
		p.happens(time.Minute, Fact{Kind: "source", Outcome: "stale", Reason: "mirror b is two days old"})
		if text := p.told["ops"].list[0].Text; text != "Why: mirror b is two days old\nsyncd: What is newer is taken from another remote.\nTo do: syncd status names every remote.\n(the template of route all failed)" {
			t.Errorf("%q", text)
		}
	})
}

// What strangers have written is shown, and does nothing.
func TestTextsAreHarmlessAndBounded(t *testing.T) {
	bubble(t, toOps(config.Route{}), func(p *place) {
		f := drifts("shop", "opened")
		for i := range 100 {
			f.Findings = append(f.Findings, fmt.Sprint("container/web/", i, " \x1b[2Jimage: ", strings.Repeat("x", 5000)))
		}
		f.Reason, f.Revision = "\u202eevil\n\n\x00"+strings.Repeat("y", 100000), Revision{Commit: "1", Author: "\x1b[31mJane\r\nBcc: x@y.z", Subject: strings.Repeat("z", 5000)}
		p.happens(time.Minute, f)
		m := p.told["ops"].list[0]
		if strings.ContainsAny(m.Text, "\x1b\r\x00\u202e") || len(m.Text) > 6000 || strings.Count(m.Text, "\n") > 16 || !strings.Contains(m.Text, "and 90 more") {
			t.Errorf("%d bytes: %q", len(m.Text), m.Text)
		}
	})
}

// The text fits a phone, and says what, where, whose, why, what was done and what to do.
func TestWhatIsSaidOfEachEvent(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for event := range kinds() {
		told := Told{Event: event, Severity: kinds()[event].severity, Fact: Fact{ID: 1, At: now, App: "shop", Kind: "sync", Who: "jane", Reason: "why"}}
		g := group{}
		g.add(told, now)
		m := g.message(route{name: "all"}, "prod-1", now)
		if !strings.HasPrefix(m.Title, "prod-1: shop ") || !strings.Contains(m.Text, "Why: why") || strings.Contains(m.Text, "APP") {
			t.Errorf("%s: %q %q", event, m.Title, m.Text)
		}
		if kinds()[event].phase == trouble && !strings.Contains(m.Text, "To do: ") {
			t.Errorf("%s says nothing of what to do: %q", event, m.Text)
		}
	}
}

// What is said on a phone, line for line.
func TestWhatIsSaidFitsAPhone(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	jane := Revision{Commit: "1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d", Author: "Jane Doe", Subject: "Raise the limit"}
	drifted := Told{Event: driftOpened, Severity: Warning, Fact: Fact{ID: 1, At: now, App: "shop", Owner: "team-shop", Kind: "drift", Outcome: "opened", Incident: "shop#3", Revision: jane,
		Reason: "container/web/1 modified memory: 64m -> 128m and 8 more", Findings: []string{"container/web/1 memory: 64m -> 128m", "container/db/1 missing"}, More: 7, Hint: "syncd repairs it"}}
	gone := Told{Event: driftResolved, Severity: Info, Since: now.Add(-2 * time.Hour), Fact: Fact{ID: 2, At: now, App: "shop", Kind: "drift", Outcome: "resolved", Incident: "shop#3", Revision: jane,
		Reason: "it went back by itself", Findings: []string{"container/db/1 missing"}, Duration: resource.Duration(2 * time.Hour)}}
	mirror := Told{Event: "source-stale", Severity: Warning, Fact: Fact{ID: 3, At: now, Kind: "source", Outcome: "stale", Incident: "source https://mirror.example", Reason: "remote https://mirror.example is stale: it has 1a2b3c4d5e"}}
	whole := Told{Event: "source-unreachable", Severity: Warning, Fact: Fact{ID: 4, At: now, Kind: "source", Outcome: "unreachable", Incident: "source repository", Reason: "no route to host", Hint: "check the network"}}
	for want, facts := range map[string][]Told{
		"prod-1: shop drifted\nRevision: 1a2b3c4d5e by Jane Doe: Raise the limit\nOwner: team-shop\n- container/web/1 memory: 64m -> 128m\n- container/db/1 missing\nand 7 more\nTo do: syncd repairs it":              {drifted},
		"prod-1: shop drift is gone\nRevision: 1a2b3c4d5e by Jane Doe: Raise the limit\nWhy: it went back by itself\n- container/db/1 missing\nLasted: 2h0m":                                                           {gone},
		"prod-1: remote https://mirror.example is behind\nWhy: remote https://mirror.example is stale: it has 1a2b3c4d5e\nsyncd: What is newer is taken from another remote.\nTo do: syncd status names every remote.": {mirror},
		"prod-1: the repository does not answer\nWhy: no route to host\nsyncd: What runs goes on.\nTo do: check the network":                                                                                           {whole},
		"prod-1: 1 drift opened, 1 source stale\nshop drifted\nRevision: 1a2b3c4d5e by Jane Doe: Raise the limit\nOwner: team-shop\n- container/web/1 memory: 64m -> 128m\n- container/db/1 missing\nand 7 more\nTo do: syncd repairs it\n\nremote https://mirror.example is behind\nWhy: remote https://mirror.example is stale: it has 1a2b3c4d5e\nsyncd: What is newer is taken from another remote.\nTo do: syncd status names every remote.": {drifted, mirror},
	} {
		g := group{}
		for _, f := range facts {
			g.add(f, now)
		}
		m := g.message(route{name: "all"}, "prod-1", now)
		if got := m.Title + "\n" + m.Text; got != want {
			t.Errorf("it says\n%s\n\nwant\n%s", got, want)
		}
	}
}

// The words of the configuration are those that facts can be.
func TestEveryEventOfTheConfigurationIsKnown(t *testing.T) {
	for event := range kinds() {
		if _, err := config.DecodeHost("f", fmt.Appendf(nil, "repo: {url: a}\nnotify: {channels: {a: {type: slack, url: 'https://a'}}, routes: [{to: [a], events: [%s]}]}", event)); err != nil {
			t.Errorf("%s: %v", event, err)
		}
	}
	_, err := config.DecodeHost("f", []byte("repo: {url: a}\nnotify: {channels: {a: {type: slack, url: 'https://a'}}, routes: [{to: [a], events: [nothing]}]}"))
	if err == nil || strings.Count(err.Error(), " or ") != len(kinds())-1 {
		t.Errorf("the configuration knows other events: %v", err)
	}
}
