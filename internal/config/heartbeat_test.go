package config

import (
	"strings"
	"testing"
	"time"
)

func TestHeartbeatHasOneURL(t *testing.T) {
	const secret = "https://hc-ping.com/0b5c2f6e-secret-uuid?rid=1"
	for text, want := range map[string]string{
		"{url: '" + secret + "'}": "", "{urlFile: /etc/syncd/beat, interval: 30s, timeout: 5s, fail: true}": "", "{urlEnv: BEAT}": "",
		"{interval: 30s}":                                 "heartbeat has no URL",
		"{url: '" + secret + "', urlEnv: BEAT}":           "heartbeat says in two ways what its URL is",
		"{url: 'ftp://hc-ping.com/0b5c2f6e-secret-uuid'}": "heartbeat.url is",
		"{urlFile: beat}":                                 "heartbeat.urlFile",
		"{urlEnv: BEAT, interval: 1ms}":                   "heartbeat.interval",
		"{urlEnv: BEAT, every: 1m}":                       "every",
	} {
		host, err := DecodeHost("f", []byte("repo: {url: a}\nheartbeat: "+text+"\n"))
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", text, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: got %v, want %q", text, err, want)
		case err != nil && strings.Contains(err.Error(), "secret-uuid"):
			t.Errorf("%s: the error shows the URL: %v", text, err)
		case want == "" && !host.Heartbeat.Wanted():
			t.Errorf("%s is no heartbeat", text)
		}
	}
	if h := (Heartbeat{}); h.Wanted() || h.Every() != time.Minute || h.Limit() != 10*time.Second {
		t.Errorf("the defaults are %v, %v, %v", h.Wanted(), h.Every(), h.Limit())
	}
}

// Of two rules with one name only the first counts, for the fields of both.
func TestEveryRuleHasANameOfItsOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range shapes() {
		if seen[s.name] {
			t.Errorf("two rules are called %s", s.name)
		}
		seen[s.name] = true
	}
}

func TestAChannelsURLMayHaveAQuery(t *testing.T) {
	const teams = "https://prod-1.westeurope.logic.example.com:443/workflows/1/triggers/manual/paths/invoke?api-version=1&sig=abc"
	if _, err := DecodeHost("f", []byte(told("chat: {type: teams, url: '"+teams+"'}", "{to: [chat]}"))); err != nil {
		t.Error(err)
	}
}
