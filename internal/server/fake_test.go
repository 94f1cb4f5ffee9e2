package server_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/pulse"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/server"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/state"
)

// fake answers with what it was asked, so that a test sees both directions.
type fake struct {
	acting func(ctx context.Context, hear func(reconcile.Event)) error
	asking func(ctx context.Context)
	who    string
	// results are what Sync answers; nil is one that applied.
	results []reconcile.Result
}

func (f *fake) Status(_ context.Context, apps []string) (reconcile.Status, error) {
	s := reconcile.Status{Host: "berlin-1", Revision: source.Revision{Commit: "abc"}}
	for _, a := range apps {
		if a == "nowhere" {
			return s, fault.Hint(fault.As(fault.Rejected, errors.New(`there is no app "nowhere"`)), "known apps: shop")
		}
		s.Apps = append(s.Apps, reconcile.AppStatus{Name: a, Status: reconcile.Synced})
	}
	return s, nil
}

func (f *fake) Plan(ctx context.Context, req reconcile.PlanRequest) ([]reconcile.Preview, error) {
	if f.asking != nil {
		f.asking(ctx)
	}
	return []reconcile.Preview{{App: "shop", Digest: req.Ref + req.Dir}}, nil
}

func (f *fake) History(_ context.Context, app string, limit int) ([]state.Entry, error) {
	return []state.Entry{{ID: uint64(limit), App: app}}, nil
}

func (f *fake) Logs(_ context.Context, app, revision string) ([]state.FailedLog, error) {
	return []state.FailedLog{{App: app, Reason: revision}}, nil
}

func (f *fake) Explain(_ context.Context, app string) (reconcile.Explanation, error) {
	return reconcile.Explanation{App: app, Actor: "nobody"}, nil
}

func (f *fake) Rendered(_ context.Context, app string) ([]byte, error) {
	return []byte("no JSON: " + app), nil
}

func (f *fake) Sync(ctx context.Context, req reconcile.SyncRequest, hear func(reconcile.Event)) ([]reconcile.Result, error) {
	f.who = req.Who
	if f.acting != nil {
		if err := f.acting(ctx, hear); err != nil {
			return nil, err
		}
	}
	if f.results != nil {
		return f.results, nil
	}
	return []reconcile.Result{{App: "shop", Outcome: reconcile.Applied}}, nil
}

func (f *fake) Act(ctx context.Context, verb string, req reconcile.ActRequest, hear func(reconcile.Event)) (reconcile.ActResult, error) {
	f.who = req.Who
	hear(reconcile.Event{App: req.App, Text: verb})
	return reconcile.ActResult{Text: verb + " " + req.App + " " + req.Plan}, nil
}

func numbers(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "up 1\n") }

// place is a directory that other users get through to.
func place(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "syncdtest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// start serves f on a real socket until the test ends.
func start(t *testing.T, f *fake, group string) server.Client {
	t.Helper()
	client, stop, ended := startStoppable(t, f, group)
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return client
}

func startStoppable(t *testing.T, f *fake, group string) (server.Client, context.CancelFunc, <-chan error) {
	t.Helper()
	client := server.Client{Socket: filepath.Join(place(t), "run", "s.sock")}
	cause, cancelCause := context.WithCancelCause(context.Background())
	ctx, cancel := cause, func() { cancelCause(errors.New("terminated signal received")) }
	t.Cleanup(cancel)
	ended := make(chan error, 1)
	opts := server.Options{Socket: client.Socket, Group: group, About: server.About{Version: "v1", Repo: "file:///repo", State: "/state"}, Metrics: http.HandlerFunc(numbers)}
	opts.Healthz = pulse.Page(func() pulse.Report { return pulse.Of() })
	opts.Readyz = pulse.Page(func() pulse.Report { return pulse.Of(pulse.Check{Name: "engine"}) })
	go func() { ended <- server.Serve(ctx, opts, f, f) }()
	answers(t, client)
	return client, cancel, ended
}

// answers waits until the agent does.
func answers(t *testing.T, c server.Client) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	late := time.After(2 * time.Minute)
	for {
		_, err := c.About(context.Background())
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("the server does not answer: %v", err)
		}
	}
}
