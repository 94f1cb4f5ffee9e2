package server_test

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/server"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/state"
)

var (
	_ reconcile.Asker = server.Client{}
	_ reconcile.Actor = server.Client{}
)

func TestEveryQuestionAndItsAnswerCrossTheSocket(t *testing.T) {
	c, ctx := start(t, &fake{}, ""), t.Context()
	ask := func(what string, want any, got any, err error) {
		t.Helper()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s = %+v, %v; want %+v", what, got, err, want)
		}
	}
	about, err := c.About(ctx)
	ask("About", server.About{Version: "v1", Repo: "file:///repo", State: "/state"}, about, err)
	status, err := c.Status(ctx, []string{"a", "b c/d"})
	ask("Status", reconcile.Status{Host: "berlin-1", Revision: source.Revision{Commit: "abc"}, Apps: []reconcile.AppStatus{{Name: "a", Status: reconcile.Synced}, {Name: "b c/d", Status: reconcile.Synced}}}, status, err)
	plan, err := c.Plan(ctx, reconcile.PlanRequest{Ref: "main", Dir: "/x"})
	ask("Plan", []reconcile.Preview{{App: "shop", Digest: "main/x"}}, plan, err)
	history, err := c.History(ctx, "shop", 7)
	ask("History", []state.Entry{{ID: 7, App: "shop"}}, history, err)
	logs, err := c.Logs(ctx, "shop", "abc&x=y")
	ask("Logs", "abc&x=y", logs[0].Reason, err)
	explained, err := c.Explain(ctx, "shop")
	ask("Explain", reconcile.Explanation{App: "shop", Actor: "nobody"}, explained, err)
	rendered, err := c.Rendered(ctx, "shop")
	ask("Rendered", "no JSON: shop", string(rendered), err)
	var heard []string
	acted, err := c.Act(ctx, "approve", reconcile.ActRequest{App: "shop", Plan: "1234"}, func(e reconcile.Event) { heard = append(heard, e.Text) })
	ask("Act", reconcile.ActResult{Text: "approve shop 1234"}, acted, err)
	ask("the events of Act", []string{"approve"}, heard, nil)
}

func TestErrorsKeepTheirClassAndHint(t *testing.T) {
	c := start(t, &fake{acting: func(context.Context, func(reconcile.Event)) error {
		return fault.Hint(fault.As(fault.Blocked, errors.New("it needs consent")), "syncd approve")
	}}, "")
	_, err := c.Status(t.Context(), []string{"nowhere"})
	failed(t, err, fault.Rejected, `there is no app "nowhere"`, "known apps: shop")
	_, err = c.Sync(t.Context(), reconcile.SyncRequest{}, nil)
	failed(t, err, fault.Blocked, "it needs consent", "syncd approve")
	_, err = c.Act(t.Context(), "explode", reconcile.ActRequest{App: "shop"}, nil)
	failed(t, err, fault.Rejected, "explode", "")
}

func TestWithoutAnAgentTheErrorSaysSo(t *testing.T) {
	c := server.Client{Socket: filepath.Join(t.TempDir(), "none.sock")}
	_, err := c.About(t.Context())
	failed(t, err, fault.Unreachable, "no agent answers at", "syncd run")
	if !errors.Is(err, server.ErrNoAgent) {
		t.Errorf("%v is not ErrNoAgent", err)
	}
}

func failed(t *testing.T, err error, class fault.Class, text, hint string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", text)
	}
	if fault.Of(err) != class || !strings.Contains(err.Error(), text) || !strings.Contains(fault.Advice(err), hint) {
		t.Errorf("got %s error %q with hint %q; want %s, %q, %q", fault.Of(err), err, fault.Advice(err), class, text, hint)
	}
}
