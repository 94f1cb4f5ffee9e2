// Package server is the agent's API: HTTP over a Unix socket, and its client.
// Who asks is what the kernel says about the other end of the connection, never
// what a request claims: root and the agent's own user may do everything, the
// members of the socket's group may read, and nobody else gets in.
package server

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/serving"
)

// How long a peer may take. There is no deadline for an answer: a rollout takes
// as long as it takes, and the peer can go away.
const (
	headerLimit = 10 * time.Second
	bodyLimit   = 10 * time.Second
	idleLimit   = time.Minute
	writeLimit  = 30 * time.Second
	// goodbye is how long running requests have after the context ended, which
	// they see too.
	goodbye = 5 * time.Second
)

// maxBody bounds a request's body, in bytes.
const maxBody = 1 << 20

// Options say where the API is and for whom.
type Options struct {
	// Socket is the path of the Unix socket. Its directory is made where it is
	// missing.
	Socket string
	// Group may read; it owns the socket where it exists on this system. Empty is
	// nobody.
	Group string
	// About is what the agent tells of itself.
	About About
	// Metrics answers GET /metrics to whoever may read; nil is nobody.
	Metrics http.Handler
	// Healthz and Readyz answer GET /healthz and GET /readyz to whoever may read: is the
	// agent alive, and could it do what is asked of it. Nil is nobody.
	Healthz, Readyz http.Handler
	// Listening is called as soon as the socket takes connections; nil is nobody.
	Listening func()
	// Log gets what goes wrong with connections; nil is nobody.
	Log *slog.Logger
}

// About says which agent answers.
type About struct {
	Version string `json:"version"`
	// Repo, Path and Ref are what it follows; Repo holds no password.
	Repo string `json:"repo"`
	Path string `json:"path,omitempty"`
	Ref  string `json:"ref,omitempty"`
	// State is its state directory.
	State    string `json:"state"`
	ReadOnly bool   `json:"readOnly,omitempty"`
}

// Serve answers until ctx ends, then lets requests under way finish for a few
// seconds; they see ctx too. It returns nil after ctx ended. Errors: Blocked
// where another agent answers at the socket, or something that is no socket lies
// there.
func Serve(ctx context.Context, opts Options, asker reconcile.Asker, actor reconcile.Actor) error {
	listener, group, err := listen(ctx, opts)
	if err != nil {
		return err
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	a := &api{life: ctx, opts: opts, group: group, asker: asker, actor: actor}
	web := &http.Server{
		Handler:           a.routes(),
		ReadHeaderTimeout: headerLimit,
		IdleTimeout:       idleLimit,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext:       acquaint(opts.Log, peerGroups),
		ErrorLog:          slog.NewLogLogger(opts.Log.Handler(), slog.LevelWarn),
	}
	if opts.Listening != nil {
		opts.Listening()
	}
	return serving.Until(ctx, listener.Addr().String(), web, listener, goodbye)
}

// api holds what the handlers need.
type api struct {
	// life is the agent's. What a person asks to be done lives as long as the
	// agent, and not as long as a terminal's connection.
	life  context.Context
	opts  Options
	group int // the reading group's ID; noGroup where there is none
	asker reconcile.Asker
	actor reconcile.Actor
}
