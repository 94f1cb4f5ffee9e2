package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// drain is how long requests in flight may take after SIGTERM.
const drain = 5 * time.Second

// serveWeb answers HTTP until ctx ends, then lets requests in flight finish.
func serveWeb(ctx context.Context, s settings, out io.Writer) error {
	srv := &http.Server{
		Addr:              cmp.Or(s.listen, ":8080"),
		Handler:           handler(s),
		ReadHeaderTimeout: 5 * time.Second,
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.ListenAndServe() }()
	fmt.Fprintf(out, "%s %s: web on %s\n", s.name, s.version, srv.Addr)
	select {
	case err := <-failed:
		return fmt.Errorf("serve %s: %w", srv.Addr, err)
	case <-ctx.Done():
	}
	return shutdown(ctx, srv, out)
}

func shutdown(ctx context.Context, srv *http.Server, out io.Writer) error {
	fmt.Fprintln(out, "asked to stop; requests in flight may finish")
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if err := srv.Shutdown(limit); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("shut down: %w", err)
	}
	return nil
}

func handler(s settings) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if s.broken {
			http.Error(w, "this version is broken", http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		page, err := page(r.Context(), s)
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, page)
	})
	return mux
}

// page is what / shows: who answers, and that configuration and database are
// the expected ones.
func page(ctx context.Context, s settings) (string, error) {
	var b strings.Builder
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("read the host name: %w", err)
	}
	fmt.Fprintf(&b, "%s version %s\nhost: %s\n", s.name, s.version, host)
	if s.greeting != "" {
		fmt.Fprintf(&b, "greeting: %s\n", s.greeting)
	}
	if s.db != "" {
		jobs, err := ask(ctx, s.db, "get", "jobs")
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "jobs done: %s\n", cmp.Or(jobs, "0"))
	}
	if s.config != "" {
		text, err := os.ReadFile(s.config)
		if err != nil {
			return "", fmt.Errorf("read configuration: %w", err)
		}
		fmt.Fprintf(&b, "configuration:\n%s", text)
	}
	return b.String(), nil
}
