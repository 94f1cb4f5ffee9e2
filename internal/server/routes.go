package server

import (
	"errors"
	"fmt"
	"net/http"

	"syncd.io/syncd/internal/fault"
)

// handler answers one request of a peer that is allowed to make it. Its value
// is sent as JSON, its error as a failure.
type handler func(r *http.Request, p peer) (any, error)

// routes is the whole API.
func (a *api) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /v1/about", a.answer(a.about))
	mux.Handle("GET /v1/status", a.answer(a.status))
	mux.Handle("POST /v1/plan", a.answer(a.plan))
	mux.Handle("GET /v1/apps/{app}/history", a.answer(a.history))
	mux.Handle("GET /v1/apps/{app}/logs", a.answer(a.logs))
	mux.Handle("GET /v1/apps/{app}/explain", a.answer(a.explain))
	mux.Handle("GET /v1/apps/{app}/rendered", a.answer(a.rendered))
	for path, page := range map[string]http.Handler{"/metrics": a.opts.Metrics, "/healthz": a.opts.Healthz, "/readyz": a.opts.Readyz} {
		if page != nil {
			mux.Handle("GET "+path, a.allow(reader, func(w http.ResponseWriter, r *http.Request, _ peer) { page.ServeHTTP(w, r) }))
		}
	}
	mux.Handle("POST /v1/sync", a.allow(master, a.sync))
	mux.Handle("POST /v1/apps/{app}/{verb}", a.allow(master, a.act))
	mux.Handle("/", a.answer(a.nothing))
	return mux
}

// allow lets only peers through that have at least this role.
func (a *api) allow(least role, next func(http.ResponseWriter, *http.Request, peer)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, known := peerIn(r.Context())
		if !known || p.role(a.group) < least {
			refuse(w, r, http.StatusForbidden, a.forbidden(p, known))
			return
		}
		if err := receive(w, r); err != nil {
			refuse(w, r, statusOf(err), err)
			return
		}
		next(w, r, p)
	})
}

// answer sends what a handler returns to whoever may read.
func (a *api) answer(h handler) http.Handler {
	return a.allow(reader, func(w http.ResponseWriter, r *http.Request, p peer) {
		value, err := h(r, p)
		if err != nil {
			refuse(w, r, statusOf(err), err)
			return
		}
		send(w, http.StatusOK, value)
	})
}

func (a *api) forbidden(p peer, known bool) error {
	if known && p.role(a.group) == reader {
		err := fmt.Errorf("%s may only read: this needs root", p.name(""))
		return fault.Hint(fault.As(fault.Blocked, err), "run it with sudo")
	}
	err := errors.New("the agent does not talk to this user")
	hint := "run it with sudo"
	if a.group != noGroup {
		hint += "; for reading, the group " + a.opts.Group + " is enough"
	}
	return fault.Hint(fault.As(fault.Blocked, err), hint)
}

// errNowhere is the error of a request that the API does not know.
var errNowhere = errors.New("the agent knows no such request")

func (a *api) nothing(*http.Request, peer) (any, error) {
	return nil, fault.Hint(fault.As(fault.Rejected, errNowhere), "agent and command may be of different versions: compare syncd version with the agent's")
}
