package server

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
)

func (a *api) about(*http.Request, peer) (any, error) { return a.opts.About, nil }

func (a *api) status(r *http.Request, _ peer) (any, error) {
	return a.asker.Status(r.Context(), r.URL.Query()["app"])
}

// plan reads a local directory for root only: the agent could read more than the
// peer that asks.
func (a *api) plan(r *http.Request, p peer) (any, error) {
	var req reconcile.PlanRequest
	if err := decode(r, &req); err != nil {
		return nil, err
	}
	if req.Dir != "" && p.role(a.group) < master {
		err := fmt.Errorf("plan %s: %s may not let the agent read directories", req.Dir, p.name(""))
		return nil, fault.Hint(fault.As(fault.Blocked, err), "run it with sudo, or push the change to a branch and use --ref BRANCH")
	}
	return a.asker.Plan(r.Context(), req)
}

func (a *api) history(r *http.Request, _ peer) (any, error) {
	limit := 0
	if text := r.URL.Query().Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return nil, fault.As(fault.Rejected, errors.New("read limit: want a whole number"))
		}
		limit = n
	}
	return a.asker.History(r.Context(), r.PathValue("app"), limit)
}

func (a *api) logs(r *http.Request, _ peer) (any, error) {
	return a.asker.Logs(r.Context(), r.PathValue("app"), r.URL.Query().Get("revision"))
}

func (a *api) explain(r *http.Request, _ peer) (any, error) {
	return a.asker.Explain(r.Context(), r.PathValue("app"))
}

// rendered wraps the bytes, which need not be JSON.
func (a *api) rendered(r *http.Request, _ peer) (any, error) {
	data, err := a.asker.Rendered(r.Context(), r.PathValue("app"))
	return rendered{Data: data}, err
}

type rendered struct {
	Data []byte `json:"data"`
}
