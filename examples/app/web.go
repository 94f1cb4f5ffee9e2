package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// patience is how long requests in flight may take after SIGTERM.
const patience = 5 * time.Second

// leave is the signal that drain sends.
const leave = syscall.SIGUSR1

// drain tells the web server of that process ID that it is about to be stopped.
func drain(pid int) error {
	if err := syscall.Kill(pid, leave); err != nil {
		return fmt.Errorf("tell process %d to drain: %w", pid, err)
	}
	return nil
}

// serveWeb answers HTTP until ctx ends, then lets requests in flight finish.
func serveWeb(ctx context.Context, s settings, out io.Writer) error {
	stays, stop := signal.NotifyContext(ctx, leave)
	defer stop()
	srv := &http.Server{
		Addr:              cmp.Or(s.listen, ":8080"),
		Handler:           handler(stays, s),
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
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := srv.Shutdown(limit); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("shut down: %w", err)
	}
	return nil
}

// handler answers requests. Once stays has ended it says that it is not well, so
// that whoever hands it requests looks for another.
func handler(stays context.Context, s settings) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		switch {
		case s.broken:
			http.Error(w, "this version is broken", http.StatusInternalServerError)
		case stays.Err() != nil:
			http.Error(w, "leaving", http.StatusServiceUnavailable)
		default:
			fmt.Fprintln(w, "ok")
		}
	})
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
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
