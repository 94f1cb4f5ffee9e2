package main

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/annotate"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/notify"
	"syncd.io/syncd/internal/notify/wording"
	"syncd.io/syncd/internal/outbox"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/state"
)

// A record in the cluster says where another agent stopped.
var _ notify.Shared = (*state.Cluster)(nil)

// toldHost is a host that tells a webhook.
func toldHost(t *testing.T, route config.Route) config.Host {
	t.Helper()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	route.To = []string{"hook"}
	return config.Host{State: t.TempDir(), Host: config.HostInfo{Name: "prod-1"}, Notify: config.Notify{
		Channels: map[string]config.Channel{"hook": {Type: "webhook", URL: "http://127.0.0.1:1/", SecretFile: secret}}, Routes: []config.Route{route},
	}}
}

// shelves opens the record of a host, and an outbox.
func shelves(t *testing.T, host config.Host) (*state.Store, *outbox.Box, closers) {
	t.Helper()
	store, err := state.Open(host.State)
	if err != nil {
		t.Fatal(err)
	}
	box, err := outbox.Open(filepath.Join(t.TempDir(), "notify.db"))
	if err != nil {
		t.Fatal(err)
	}
	return store, box, closers{store.Close, box.Close}
}

func TestWhatIsWrongWithNotificationsIsFoundBefore(t *testing.T) {
	missing := toldHost(t, config.Route{})
	hook := missing.Notify.Channels["hook"]
	hook.SecretFile = "/no/such/file"
	missing.Notify.Channels = map[string]config.Channel{"hook": hook}
	for name, c := range map[string]struct {
		host config.Host
		ok   bool
		says string
	}{
		"well":         {toldHost(t, config.Route{}), true, "every channel has what it needs"},
		"other labels": {toldHost(t, config.Route{Labels: map[string]string{"env": "test"}}), true, "no label env: test"},
		"template":     {toldHost(t, config.Route{Template: "{{.Nothing}}"}), false, "the template of route route-1"},
		"secret":       {missing, false, "read the secret of channel hook"},
	} {
		found := checkNotify(t.Context(), c.host, inProcess)
		if len(found) != 1 || found[0].OK != c.ok || !strings.Contains(found[0].Detail, c.says) {
			t.Errorf("%s: %+v", name, found)
		}
	}
	if found := checkNotify(t.Context(), config.Host{}, nil); found != nil {
		t.Errorf("nobody is to be told: %+v", found)
	}
}

// A template that fails keeps the agent from starting; a secret that is not there yet
// does not, for it may come.
func TestWhatKeepsTheAgentFromStarting(t *testing.T) {
	var said bytes.Buffer
	log := slog.New(slog.NewTextHandler(&said, nil))
	if _, err := tellerOf(t.Context(), toldHost(t, config.Route{Template: "{{"}), inProcess, false, log); fault.Of(err) != fault.Rejected {
		t.Errorf("a template that fails: %v", err)
	}
	missing := toldHost(t, config.Route{})
	if err := os.Remove(missing.Notify.Channels["hook"].SecretFile); err != nil {
		t.Fatal(err)
	}
	teller, err := tellerOf(t.Context(), missing, inProcess, false, log)
	if err != nil || teller == nil || !strings.Contains(said.String(), "read the secret of channel hook") {
		t.Errorf("%v; it says %s", err, said.String())
	}
	if teller, err := tellerOf(t.Context(), toldHost(t, config.Route{}), nil, true, log); teller != nil || err != nil || !strings.Contains(said.String(), "who never acts keeps no record") {
		t.Errorf("who never acts: %v; it says %s", err, said.String())
	}
}

// inProcess is a Wording without a child.
func inProcess(_ context.Context, d notify.Draft) ([]string, error) {
	return wording.Texts(d.Template, d.About)
}

// All that a fact has is taken from the record.
func TestAFactIsAllThatIsOnRecord(t *testing.T) {
	f := factOf(state.Entry{
		ID: 1, App: "shop", At: time.Unix(1, 0), Kind: "sync", Who: "jane", Owner: "team", Outcome: "applied", Reason: "why", Says: "what", Still: true, Hint: "hint", Incident: "shop-1",
		Findings: []string{"a"}, More: 3, Duration: resource.Duration(time.Second), Revision: source.Revision{Commit: "1", Author: "Jane", Subject: "s"},
	})
	v := reflect.ValueOf(f)
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; v.Field(i).IsZero() {
			t.Errorf("%s is left out", name)
		}
	}
}

// The record knows what is so still, of which nobody has told for long.
func TestTheRecordKnowsWhatIsOpen(t *testing.T) {
	store, err := state.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for _, r := range []state.Record{
		{App: "drifts", Incident: &state.Incident{Number: 3}}, {App: "waits", Waits: "sha256:1"}, {App: "stands", Last: state.Verdict{Outcome: "halted"}},
		{App: "held", Last: state.Verdict{Outcome: "held"}}, {App: "left", Last: state.Verdict{Outcome: "halted"}, Released: true}, {App: "well", Last: state.Verdict{Outcome: "applied"}},
	} {
		if err := store.Save(r); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range [][2]string{{"source a", "stale"}, {"source b", "stale"}, {"source b", "recovered"}, {"source a", "diverged"}} {
		if _, err := store.Append(state.Entry{Kind: "source", Incident: e[0], Outcome: e[1]}); err != nil {
			t.Fatal(err)
		}
	}
	for want, all := range map[bool][]notify.Fact{
		true: {
			{Kind: "drift", App: "drifts", Incident: "drifts#3", Outcome: "opened"}, {Kind: "window", App: "waits", Outcome: "pending"},
			{Kind: "sync", App: "stands", Outcome: "halted"}, {Kind: "sync", App: "held", Outcome: "rolled back"}, {Kind: "source", Incident: "source a", Outcome: "stale"},
		},
		false: {
			{Kind: "drift", App: "drifts", Incident: "drifts#2", Outcome: "opened"}, {Kind: "drift", App: "well", Incident: "well#1", Outcome: "opened"},
			{Kind: "window", App: "well", Outcome: "pending"}, {Kind: "sync", App: "left", Outcome: "halted"}, {Kind: "sync", App: "well", Outcome: "halted"},
			{Kind: "sync", App: "gone", Outcome: "halted"}, {Kind: "source", Incident: "source b", Outcome: "stale"}, {Kind: "source", Incident: "source c"},
		},
	} {
		for _, f := range all {
			if open, err := (journal{store}).Open(f); err != nil || open != want {
				t.Errorf("%+v is open: %t, %v", f, open, err)
			}
		}
	}
}

// An outbox that is in trouble keeps no agent from its work: what was written meanwhile
// is told once it is mended.
func TestTroubleWithTheOutboxIsInNobodysWay(t *testing.T) {
	host, log := toldHost(t, config.Route{Group: new(config.Duration)}), slog.New(slog.DiscardHandler)
	teller, err := tellerOf(t.Context(), host, nil, false, log)
	if err != nil {
		t.Fatal(err)
	}
	store, err := state.Open(host.State)
	if err != nil {
		t.Fatal(err)
	}
	open := closers{store.Close}
	path := filepath.Join(host.State, outboxFile)
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	told := (wiring{teller: teller, log: log}).tell(t.Context(), host, store, &open)
	if _, err := told.SaveWith(state.Record{App: "shop"}, state.Entry{App: "shop", At: time.Now(), Kind: "sync", Outcome: "halted"}); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	waits(t, teller)
	if err := open.close(); err != nil {
		t.Fatal(err)
	}
}

// Nor is trouble with marks, or with a forge, in the way of who tells people: they hear
// everything, and once.
func TestTroubleWithMarksKeepsNobodyFromTelling(t *testing.T) {
	host := toldHost(t, config.Route{Group: new(config.Duration)})
	retries := make(retries, 10)
	log := slog.New(slog.NewTextHandler(retries, &slog.HandlerOptions{Level: slog.LevelWarn}))
	teller, err := tellerOf(t.Context(), host, nil, false, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	store, err := state.Open(host.State)
	if err != nil {
		t.Fatal(err)
	}
	open := closers{store.Close}
	broken := &marker{Options: annotate.Options{URL: "nowhere", Log: log}}
	told := (wiring{teller: teller, marker: broken, log: log}).tell(t.Context(), host, store, &open)
	if _, err := told.SaveWith(state.Record{App: "shop"}, state.Entry{App: "shop", At: time.Now(), Kind: "sync", Outcome: "halted"}); err != nil {
		t.Fatal(err)
	}
	waits(t, teller)
	first, _ := teller.desk.taken()
	for range 2 {
		select {
		case <-retries:
		case <-time.After(time.Minute):
			t.Fatal("nobody tries to mark")
		}
	}
	if now, ok := teller.desk.taken(); !ok || now != first {
		t.Error("telling people was begun again")
	}
	waits(t, teller)
	if err := open.close(); err != nil {
		t.Fatal(err)
	}
}

// retries gets each line of a log.
type retries chan string

// Write implements io.Writer.
func (r retries) Write(line []byte) (int, error) {
	select {
	case r <- string(line):
	default: // enough are there
	}
	return len(line), nil
}

// waits returns once a message waits for the hook, which could not be told.
func waits(t *testing.T, teller *teller) {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		if q := teller.Queues(); len(q) == 1 && q[0].Channel == "hook" && q[0].Waiting == 1 && !q[0].Oldest.IsZero() && q[0].Ended["retried"] > 0 {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("%+v wait", teller.Queues())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// What is written to the record is told, as long as it is open; and scrapes see what
// waits.
func TestWhatIsWrittenIsTold(t *testing.T) {
	host := toldHost(t, config.Route{Group: new(config.Duration)})
	teller, err := tellerOf(t.Context(), host, nil, false, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if teller.Queues() != nil {
		t.Error("something waits, and nobody tells yet")
	}
	store, box, open := shelves(t, host)
	if err := teller.begin(t.Context(), box, store, teller.start(store), nil, &open); err != nil {
		t.Fatal(err)
	}
	told := teller.noting(store)
	if _, err := told.SaveWith(state.Record{App: "shop"}, state.Entry{App: "shop", At: time.Now(), Kind: "sync", Outcome: "halted"}); err != nil {
		t.Fatal(err)
	}
	waits(t, teller)
	teller.hearing(func(reconcile.Event) {})(reconcile.Event{App: "shop", Result: &reconcile.Result{Outcome: reconcile.Unchanged}})
	if err := open.close(); err != nil {
		t.Fatal(err)
	}
	if teller.Queues() != nil {
		t.Error("something waits, and nobody tells any more")
	}
}
