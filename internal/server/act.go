package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
)

// verbs are what Actor.Act knows.
func verbs() []string {
	return []string{"approve", "rollback", "retry", "pause", "resume", "adopt", "release", "gate-enable", "gate-release", "gate-upgrade"}
}

func (a *api) sync(w http.ResponseWriter, r *http.Request, p peer) {
	var req reconcile.SyncRequest
	if err := decode(r, &req); err != nil {
		refuse(w, r, statusOf(err), err)
		return
	}
	req.Who = p.name(req.Who)
	a.stream(w, func(ctx context.Context, hear func(reconcile.Event)) (any, error) {
		return a.actor.Sync(ctx, req, hear)
	})
}

func (a *api) act(w http.ResponseWriter, r *http.Request, p peer) {
	verb := r.PathValue("verb")
	if !slices.Contains(verbs(), verb) {
		refuse(w, r, http.StatusNotFound, fault.As(fault.Rejected, fmt.Errorf("%s: %w", verb, errNowhere)))
		return
	}
	var req reconcile.ActRequest
	if err := decode(r, &req); err != nil {
		refuse(w, r, statusOf(err), err)
		return
	}
	if req.App != r.PathValue("app") {
		refuse(w, r, http.StatusBadRequest, fault.As(fault.Rejected, errors.New("read the request: its app is not the address's")))
		return
	}
	req.Who = p.name(req.Who)
	a.stream(w, func(ctx context.Context, hear func(reconcile.Event)) (any, error) {
		return a.actor.Act(ctx, verb, req, hear)
	})
}
