// Command testapp is what runs in the pods of a test cluster. Without arguments
// it is a web server that the environment makes misbehave:
//
//	VERSION      what / answers; the image's tag unless it is said otherwise
//	PORT         where it listens, default 8080
//	READY_AFTER  /ready answers 503 for that long, as 2s
//	NEVER_READY  /ready answers 503 for ever, unless this is empty
//	SICK_AFTER   /healthz answers 503 from then on, as 5s
//	CRASH        it ends with that exit code, CRASH_AFTER its start (default 0s)
//	SAY          it says that when it starts
//	DRAIN        when asked to end it goes on for that long, as 1s
//
// testapp job SECONDS CODE works that long and ends with that code; testapp reach
// HOST:PORT ends well if somebody listens there; testapp pause only waits until
// it is asked to end. ${NAME} in an argument is taken from the environment.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	code, err := run(ctx, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "testapp:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// run does what the arguments say and returns the exit code.
func run(ctx context.Context, args []string) (int, error) {
	if len(args) == 0 {
		return serve(ctx)
	}
	for i := range args {
		args[i] = os.ExpandEnv(args[i])
	}
	switch args[0] {
	case "reach":
		return 0, reach(ctx, args[1:])
	case "pause":
		<-ctx.Done()
		return 0, nil
	case "job":
		return job(ctx, args[1:])
	default:
		return 2, fmt.Errorf("no such argument %q; there are job, reach and pause", args[0])
	}
}

// job works for a number of seconds and ends with a code.
func job(ctx context.Context, args []string) (int, error) {
	if len(args) != 2 {
		return 2, errors.New("job takes a number of seconds and an exit code")
	}
	seconds, err := strconv.ParseFloat(args[0], 64)
	if err != nil {
		return 2, fmt.Errorf("read the seconds: %w", err)
	}
	code, err := strconv.Atoi(args[1])
	if err != nil {
		return 2, fmt.Errorf("read the exit code: %w", err)
	}
	fmt.Fprintf(os.Stdout, "job %s: ends with %d in %v s\n", os.Getenv("VERSION"), code, seconds)
	select {
	case <-ctx.Done():
		return 143, nil // as a shell reports a SIGTERM
	case <-time.After(time.Duration(seconds * float64(time.Second))):
		return code, nil
	}
}

// reach connects to an address and hangs up.
func reach(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("reach takes HOST:PORT")
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", args[0])
	if err != nil {
		return fmt.Errorf("reach %s: %w", args[0], err)
	}
	return connection.Close()
}

// settings is what the environment says.
type settings struct {
	version, port, say                       string
	readyAfter, sickAfter, crashAfter, drain time.Duration
	neverReady                               bool
	crash                                    int // the exit code, or -1
}

func read() (settings, error) {
	s := settings{version: os.Getenv("VERSION"), port: os.Getenv("PORT"), say: os.Getenv("SAY"), neverReady: os.Getenv("NEVER_READY") != "", crash: -1}
	if s.port == "" {
		s.port = "8080"
	}
	for name, into := range map[string]*time.Duration{"READY_AFTER": &s.readyAfter, "SICK_AFTER": &s.sickAfter, "CRASH_AFTER": &s.crashAfter, "DRAIN": &s.drain} {
		text := os.Getenv(name)
		if text == "" {
			continue
		}
		value, err := time.ParseDuration(text)
		if err != nil {
			return s, fmt.Errorf("read %s: %w", name, err)
		}
		*into = value
	}
	if text := os.Getenv("CRASH"); text != "" {
		code, err := strconv.Atoi(text)
		if err != nil {
			return s, fmt.Errorf("read CRASH: %w", err)
		}
		s.crash = code
	}
	return s, nil
}

// serve answers until it is asked to end, or is to crash.
func serve(ctx context.Context) (int, error) {
	s, err := read()
	if err != nil {
		return 2, err
	}
	fmt.Fprintf(os.Stdout, "testapp %s starts %s\n", s.version, s.say)
	ctx, crashes := context.WithCancelCause(ctx)
	defer crashes(nil)
	if s.crash >= 0 {
		timer := time.AfterFunc(s.crashAfter, func() { crashes(errCrash) })
		defer timer.Stop()
	}
	if err := listen(ctx, s); err != nil {
		return 1, err
	}
	if errors.Is(context.Cause(ctx), errCrash) {
		fmt.Fprintf(os.Stderr, "testapp %s crashes with exit code %d, as it was told\n", s.version, s.crash)
		return s.crash, nil
	}
	return 0, nil
}

var errCrash = errors.New("told to crash")

// listen serves until the context ends, and then for the time of draining.
func listen(ctx context.Context, s settings) error {
	var ending atomic.Bool
	born := time.Now()
	answers := http.NewServeMux()
	answers.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, s.version) })
	answers.HandleFunc("/ready", check(func() bool {
		return !s.neverReady && !ending.Load() && time.Since(born) >= s.readyAfter
	}))
	answers.HandleFunc("/healthz", check(func() bool { return s.sickAfter == 0 || time.Since(born) < s.sickAfter }))
	server := &http.Server{Addr: ":" + s.port, Handler: answers, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.ListenAndServe() }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	ending.Store(true)
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.drain+time.Second)
	defer cancel()
	if !errors.Is(context.Cause(ctx), errCrash) {
		<-time.After(s.drain)
	}
	return server.Shutdown(rest)
}

// check answers 200 while it holds, else 503.
func check(holds func() bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if !holds() {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintln(w, "no")
			return
		}
		fmt.Fprintln(w, "yes")
	}
}
