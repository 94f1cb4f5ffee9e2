// Package webhook is told of pushes by forges, and lets the repository be looked at.
// That is all that a webhook ever means: who sends it has to know a secret, and
// nothing that it says is read, let alone believed.
package webhook

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/netutil"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/serving"
)

// What whoever comes may take: a sender that is slow, or one of a thousand, keeps
// nothing for long.
const (
	maxBody     = 1 << 20 // bytes
	maxHeader   = 16 << 10
	headerLimit = 5 * time.Second
	readLimit   = 10 * time.Second
	writeLimit  = 10 * time.Second
	idleLimit   = 15 * time.Second
	connections = 64
	atOnce      = 16 // requests whose body is held
	goodbye     = 2 * time.Second
)

// Options say where webhooks come in, and what they cause.
type Options struct {
	// Webhook is the configuration, with its defaults.
	config.Webhook
	// Look lets the repository be looked at. It must not block.
	Look func()
	// Ready tells whether that would be of any use now; nil is always.
	Ready func() bool
	Log   *slog.Logger
}

// Receiver is told of pushes.
type Receiver struct {
	opts   Options
	hooks  map[string]config.Hook
	bell   bell
	places chan struct{}
	counts counts
	cert   *certificate

	mu sync.Mutex
	// trouble is what was told of each hook's secret last.
	trouble map[string]string
}

// New returns a receiver that does not listen yet. Errors: Blocked where a secret
// or the certificate cannot be read, or is empty.
func New(opts Options) (*Receiver, error) {
	r := &Receiver{
		opts: opts, hooks: map[string]config.Hook{}, trouble: map[string]string{},
		bell: newBell(opts.Pause.D(), opts.Look), places: make(chan struct{}, atOnce),
	}
	for _, h := range opts.Hooks {
		if _, err := secretOf(h); err != nil {
			return nil, err
		}
		r.hooks[h.Name] = h
	}
	if opts.CertFile == "" {
		return r, nil
	}
	r.cert = &certificate{certFile: opts.CertFile, keyFile: opts.KeyFile}
	if _, err := r.cert.current(nil); err != nil {
		return nil, err
	}
	return r, nil
}

// Serve listens until ctx ends, and lets requests under way finish for a moment. It
// returns nil then. Errors: Blocked where somebody else has the address.
func (r *Receiver) Serve(ctx context.Context) error {
	var conf net.ListenConfig
	listener, err := conf.Listen(ctx, "tcp", r.opts.Listen)
	if err != nil {
		return fault.Hint(fault.As(fault.Blocked, fmt.Errorf("listen for webhooks: %w", err)), "give webhook.listen another port")
	}
	listener = netutil.LimitListener(listener, connections)
	if r.cert != nil {
		listener = tls.NewListener(listener, &tls.Config{GetCertificate: r.cert.current, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}})
	}
	return r.serve(ctx, listener)
}

// serve owns the goroutines that listen and that look, and sees them end.
func (r *Receiver) serve(ctx context.Context, listener net.Listener) error {
	web := &http.Server{
		Handler: r.routes(), MaxHeaderBytes: maxHeader,
		ReadHeaderTimeout: headerLimit, ReadTimeout: readLimit, WriteTimeout: writeLimit, IdleTimeout: idleLimit,
		ErrorLog: slog.NewLogLogger(r.opts.Log.Handler(), slog.LevelDebug), // whoever knocks could fill the log
	}
	var looking sync.WaitGroup
	defer looking.Wait()
	ctx, end := context.WithCancel(ctx)
	defer end()
	looking.Go(func() { r.bell.keep(ctx) })
	return serving.Until(ctx, "webhooks", web, listener, goodbye)
}
