package metrics

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/serving"
)

const (
	headerLimit = 10 * time.Second
	readLimit   = 20 * time.Second
	writeLimit  = 30 * time.Second
	idleLimit   = 2 * time.Minute // a scrape a minute keeps its connection
	goodbye     = 2 * time.Second
)

// Pages are what is answered: GET /metrics, GET /healthz, which says whether the agent
// is alive, and GET /readyz, which says whether it could do what is asked of it.
type Pages struct{ Metrics, Healthz, Readyz http.Handler }

// Serve answers at a TCP address, ADDRESS:PORT, until ctx ends. Errors: Blocked where
// somebody else has it.
func Serve(ctx context.Context, address string, pages Pages, log *slog.Logger) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return fault.Hint(fault.As(fault.Blocked, fmt.Errorf("listen for scrapes: %w", err)), "give metrics.listen another port")
	}
	return serve(ctx, listener, pages, log)
}

// serve answers at a listener until ctx ends. Whoever asks nothing more keeps
// no connection for long.
func serve(ctx context.Context, listener net.Listener, pages Pages, log *slog.Logger) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", pages.Metrics)
	mux.Handle("GET /healthz", pages.Healthz)
	mux.Handle("GET /readyz", pages.Readyz)
	web := &http.Server{
		Handler: mux, MaxHeaderBytes: 64 << 10,
		ReadHeaderTimeout: headerLimit, ReadTimeout: readLimit, WriteTimeout: writeLimit, IdleTimeout: idleLimit,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	return serving.Until(ctx, "metrics", web, listener, goodbye)
}
