package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/state"
)

// fake is an agent whose answers are files: status.json, plan.json, act.json and
// so on; VERB-error.json where it fails, VERB-APP-error.json where it does for an
// app. What it is asked it writes to asked.json.
type fake struct{ dir string }

// answer reads the answer to one question. The zero value is one, too.
func answer[T any](f *fake, verb string, asked any) (T, error) {
	var out T
	data, err := json.Marshal(asked)
	if err != nil {
		return out, err
	}
	if err := os.WriteFile(filepath.Join(f.dir, "asked-"+verb+".json"), append(data, '\n'), 0o644); err != nil {
		return out, err
	}
	if err := f.fails(verb); err != nil {
		return out, err
	}
	return out, f.read(verb, &out)
}

func (f *fake) fails(verb string) error {
	var failed struct{ Class, Error, Hint string }
	if err := f.read(verb+"-error", &failed); err != nil || failed.Error == "" {
		return err
	}
	return problemOf(failed.Class, failed.Error, failed.Hint)
}

func problemOf(class, text, hint string) error {
	err := errors.New(text)
	for _, c := range []fault.Class{fault.Unreachable, fault.Rejected, fault.Blocked} {
		if c.String() == class {
			err = fault.As(c, err)
		}
	}
	if hint == "" {
		return err
	}
	return fault.Hint(err, hint)
}

func (f *fake) read(name string, into any) error {
	data, err := os.ReadFile(filepath.Join(f.dir, name+".json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

func (f *fake) Status(_ context.Context, apps []string) (reconcile.Status, error) {
	return answer[reconcile.Status](f, "status", apps)
}

func (f *fake) Plan(_ context.Context, req reconcile.PlanRequest) ([]reconcile.Preview, error) {
	return answer[[]reconcile.Preview](f, "plan", req)
}

func (f *fake) History(_ context.Context, app string, limit int) ([]state.Entry, error) {
	return answer[[]state.Entry](f, "history", []any{app, limit})
}

func (f *fake) Logs(_ context.Context, app, revision string) ([]state.FailedLog, error) {
	return answer[[]state.FailedLog](f, "logs", []string{app, revision})
}

func (f *fake) Explain(_ context.Context, app string) (reconcile.Explanation, error) {
	return answer[reconcile.Explanation](f, "explain", app)
}

func (f *fake) Rendered(_ context.Context, app string) ([]byte, error) {
	out, err := answer[json.RawMessage](f, "render", app)
	return out, err
}

func (f *fake) Sync(_ context.Context, req reconcile.SyncRequest, hear func(reconcile.Event)) ([]reconcile.Result, error) {
	hear(reconcile.Event{App: "shop", Text: "drift: container/web/1 missing"})
	req.Who = "" // it depends on who runs the tests
	return answer[[]reconcile.Result](f, "sync", req)
}

func (f *fake) Act(_ context.Context, verb string, req reconcile.ActRequest, _ func(reconcile.Event)) (reconcile.ActResult, error) {
	req.Who = ""
	if !req.Until.IsZero() {
		req.Until = req.Until.UTC()
	}
	if err := f.fails(verb + "-" + req.App); err != nil {
		return reconcile.ActResult{}, err
	}
	if req.Confirm {
		verb += "-confirmed"
	}
	return answer[reconcile.ActResult](f, verb, req)
}
