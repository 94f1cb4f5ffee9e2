package metrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"syncd.io/syncd/internal/fault"
)

const (
	headerLimit = 10 * time.Second
	writeLimit  = 30 * time.Second
	goodbye     = 2 * time.Second
)

// Serve answers GET /metrics at a TCP address, ADDRESS:PORT, until ctx ends; and
// GET /healthz, which says that the process answers, and nothing of the apps.
// Errors: Blocked where somebody else has it.
func Serve(ctx context.Context, address string, page http.Handler, log *slog.Logger) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return fault.Hint(fault.As(fault.Blocked, fmt.Errorf("listen for scrapes: %w", err)), "give metrics.listen another port")
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", page)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	web := &http.Server{
		Handler: mux, ReadHeaderTimeout: headerLimit, WriteTimeout: writeLimit, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve metrics: %w", err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	err = web.Shutdown(last)
	if errors.Is(err, context.DeadlineExceeded) {
		err = web.Close()
	}
	<-ended //nolint:errcheck // it is http.ErrServerClosed
	return err
}
