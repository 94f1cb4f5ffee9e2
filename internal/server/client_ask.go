package server

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/state"
)

// Status asks how the named apps are, all where none is named.
func (c Client) Status(ctx context.Context, apps []string) (reconcile.Status, error) {
	return get[reconcile.Status](ctx, c, "/v1/status", url.Values{"app": apps})
}

// Plan asks what a pass would do. A directory must be absolute: the agent has
// another working directory.
func (c Client) Plan(ctx context.Context, req reconcile.PlanRequest) ([]reconcile.Preview, error) {
	return call[[]reconcile.Preview](ctx, c, http.MethodPost, "/v1/plan", req)
}

// History asks for an app's newest entries; 0 is all that are kept.
func (c Client) History(ctx context.Context, app string, limit int) ([]state.Entry, error) {
	return get[[]state.Entry](ctx, c, of(app, "history"), url.Values{"limit": {strconv.Itoa(limit)}})
}

// Logs asks for what was kept of the failed instances of a revision.
func (c Client) Logs(ctx context.Context, app, revision string) ([]state.FailedLog, error) {
	return get[[]state.FailedLog](ctx, c, of(app, "logs"), url.Values{"revision": {revision}})
}

// Explain asks why an app is as it is, who has to act, and what to type.
func (c Client) Explain(ctx context.Context, app string) (reconcile.Explanation, error) {
	return get[reconcile.Explanation](ctx, c, of(app, "explain"), nil)
}

// Rendered asks for the objects that an app renders to.
func (c Client) Rendered(ctx context.Context, app string) ([]byte, error) {
	out, err := get[rendered](ctx, c, of(app, "rendered"), nil)
	return out.Data, err
}

func of(app, what string) string { return "/v1/apps/" + url.PathEscape(app) + "/" + what }
