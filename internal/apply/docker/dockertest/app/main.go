// Command app is what test containers run: a web server that can be told, by
// flags or by the variables APP_*, to be unhealthy, to crash or to be a job.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

type options struct {
	listen, say, version, write, probe, ask string
	exit                                    int
	exitAfter, healthyAfter                 time.Duration
	unhealthy, ignoreTerm                   bool
}

func main() {
	if code, was := wasGate(); was {
		os.Exit(code)
	}
	var o options
	flag.StringVar(&o.listen, "listen", env("LISTEN", ":8080"), "address to serve on")
	flag.StringVar(&o.say, "say", env("SAY", ""), "lines to print, separated by |")
	flag.StringVar(&o.version, "version", env("VERSION", "1"), "what / answers")
	flag.StringVar(&o.write, "write", env("WRITE", ""), "file to make, if it is not there")
	flag.StringVar(&o.probe, "probe", "", "URL to get once: exit 0 on 200, else 1")
	flag.StringVar(&o.ask, "ask", env("ASK", ""), "URL to get again and again; /asked tells how that went")
	flag.IntVar(&o.exit, "exit", number("EXIT", -1), "exit code of a job; -1 serves")
	flag.DurationVar(&o.exitAfter, "exit-after", duration("EXIT_AFTER"), "time until the exit")
	flag.DurationVar(&o.healthyAfter, "healthy-after", duration("HEALTHY_AFTER"), "time until /healthz is well")
	flag.BoolVar(&o.unhealthy, "unhealthy", env("UNHEALTHY", "") != "", "never be healthy")
	flag.BoolVar(&o.ignoreTerm, "ignore-term", env("IGNORE_TERM", "") != "", "do not end on SIGTERM")
	flag.Parse()
	os.Exit(run(o))
}

func run(o options) int {
	if o.probe != "" {
		return probe(o.probe)
	}
	for _, line := range strings.Split(o.say, "|") {
		if line != "" {
			fmt.Println(line)
		}
	}
	if o.write != "" {
		if _, err := os.Stat(o.write); err != nil {
			if err := os.WriteFile(o.write, []byte(time.Now().String()), 0o600); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if o.ignoreTerm {
		ctx = context.Background()
	}
	if o.exit >= 0 {
		wait(ctx, o.exitAfter)
		return o.exit
	}
	return serve(ctx, o)
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func serve(ctx context.Context, o options) int {
	begun := time.Now()
	var broken atomic.Bool
	broken.Store(o.unhealthy)
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, o.version) })
	mux.HandleFunc("/break", func(http.ResponseWriter, *http.Request) { broken.Store(true) })
	mux.HandleFunc("/repair", func(http.ResponseWriter, *http.Request) { broken.Store(false) })
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() || time.Since(begun) < o.healthyAfter {
			http.Error(w, "not well", http.StatusServiceUnavailable)
		}
	})
	if o.ask != "" {
		n := &neighbour{url: o.ask}
		mux.HandleFunc("/asked", n.tell)
		go n.askOn(ctx)
	}
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) { echo(w, r, o.version) })
	mux.HandleFunc("/socket", func(w http.ResponseWriter, r *http.Request) { socket(w, r, o.version) })
	var end death
	server := &http.Server{Handler: end.known(mux), ReadHeaderTimeout: 10 * time.Second}
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	failed, dies := make(chan error, 1), make(chan os.Signal, 1)
	signal.Notify(dies, syscall.SIGUSR1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case <-dies:
		return end.come(listener)
	case err := <-failed:
		fmt.Fprintln(os.Stderr, err)
		return 1
	case <-ctx.Done():
		if err := server.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		return 0
	}
}

func probe(url string) int {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer answer.Body.Close()
	fmt.Println(answer.Status)
	if answer.StatusCode != http.StatusOK {
		return 1
	}
	return 0
}

func env(name, otherwise string) string {
	if v, ok := os.LookupEnv("APP_" + name); ok {
		return v
	}
	return otherwise
}

func number(name string, otherwise int) int {
	n := otherwise
	if _, err := fmt.Sscan(env(name, ""), &n); err != nil {
		return otherwise
	}
	return n
}

func duration(name string) time.Duration {
	d, err := time.ParseDuration(env(name, "0s"))
	if err != nil {
		return 0
	}
	return d
}
