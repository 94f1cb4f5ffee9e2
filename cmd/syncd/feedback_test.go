package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/state"
)

// forgeHost is a host whose commits a forge is told of.
func forgeHost(t *testing.T, f config.Feedback) config.Host {
	t.Helper()
	f.Provider, f.TokenFile = config.GitHub, filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(f.TokenFile, []byte("s3cret-token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Host{
		State: t.TempDir(), Host: config.HostInfo{Name: "prod-1"},
		Repo: config.Repo{URL: "https://github.com/acme/deploy.git"}, Feedback: []config.Feedback{f},
	}
}

func TestWhatIsWrongWithFeedbackIsFoundBefore(t *testing.T) {
	missing := forgeHost(t, config.Feedback{})
	missing.Feedback[0].TokenFile = "/no/such/file"
	elsewhere := forgeHost(t, config.Feedback{})
	elsewhere.Repo.URL = "/srv/git/deploy"
	var said bytes.Buffer
	log := slog.New(slog.NewTextHandler(&said, nil))
	if found := checkFeedback(forgeHost(t, config.Feedback{})); len(found) != 1 || !found[0].OK {
		t.Errorf("%+v", found)
	}
	if found := checkFeedback(missing); len(found) != 1 || found[0].OK || !strings.Contains(found[0].Detail, "read the token of feedback github") {
		t.Errorf("%+v", found)
	}
	if found := checkFeedback(config.Host{}); found != nil {
		t.Errorf("no forge is to be told: %+v", found)
	}
	if f, err := feedbackOf(missing, false, log); f == nil || err != nil || !strings.Contains(said.String(), "read the token") {
		t.Errorf("a token that may come: %v, it says %s", err, said.String())
	}
	if f, err := feedbackOf(elsewhere, false, log); f != nil || fault.Of(err) != fault.Rejected || !strings.Contains(err.Error(), "repository is missing") {
		t.Errorf("a repository that no forge has: %v", err)
	}
	if f, err := feedbackOf(forgeHost(t, config.Feedback{}), true, log); f != nil || err != nil || !strings.Contains(said.String(), "who never acts keeps no record") {
		t.Errorf("who never acts: %v", err)
	}
}

// What is on record of a commit is told as long as it is open, and scrapes see what
// waits; of nobody (nil) nothing is.
func TestForgesAreToldOfWhatIsWritten(t *testing.T) {
	host := forgeHost(t, config.Feedback{URL: "http://127.0.0.1:1", Repository: "acme/deploy"})
	f, err := feedbackOf(host, false, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if f.Queues() != nil {
		t.Error("something waits, and nobody tells yet")
	}
	store, box, open := shelves(t, host)
	if err := f.begin(t.Context(), box, store, nil, &open); err != nil {
		t.Fatal(err)
	}
	if _, err := f.noting(store).SaveWith(state.Record{App: "shop"}, state.Entry{App: "shop", At: time.Now(), Kind: "sync", Outcome: "applied"}); err != nil {
		t.Fatal(err)
	}
	f.hearing(func(reconcile.Event) {})(reconcile.Event{})
	if q := f.Queues(); len(q) != 1 || q[0].Channel != "feedback/github" || q[0].Waiting != 0 || len(q[0].Ended) != 5 {
		t.Errorf("the queues are %+v", q)
	}
	if s := f.Sight(); s.Commit != "" {
		t.Errorf("without an agent it sees %+v", s)
	}
	if err := open.close(); err != nil {
		t.Fatal(err)
	}
	var none *feedback
	none.follow(nil)
	if err := none.begin(t.Context(), box, store, nil, &open); err != nil || none.noting(store) != record(store) {
		t.Errorf("nobody tells, and it came to %v", err)
	}
}
