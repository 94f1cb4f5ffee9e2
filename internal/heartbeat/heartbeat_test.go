package heartbeat_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/heartbeat"
)

const secret = "/ping/0b5c2f6e-planted-uuid"

// ward is a dead man's switch: what it is asked it hands on, and answers as it is told.
type ward struct {
	*httptest.Server
	asked  chan string
	answer atomic.Pointer[http.HandlerFunc]
}

func newWard(t *testing.T) *ward {
	t.Helper()
	w := &ward{asked: make(chan string, 1000)}
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.asked <- r.Method + " " + r.URL.RequestURI()
		if answer := w.answer.Load(); answer != nil {
			(*answer)(rw, r)
		}
	}))
	t.Cleanup(w.Close)
	return w
}

func (w *ward) says(answer http.HandlerFunc) { w.answer.Store(&answer) }

// log is a log that is read while it is written.
type log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// patient is an agent whose health a test decides.
type patient struct {
	ill, idle atomic.Bool
	log       log
}

func (p *patient) beats(t *testing.T, conf config.Heartbeat) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	opts := heartbeat.Options{
		Heartbeat: conf, Busy: func() bool { return !p.idle.Load() }, Log: slog.New(slog.NewTextHandler(&p.log, nil)),
		Well: func() string {
			if p.ill.Load() {
				return "a loop hangs"
			}
			return ""
		},
	}
	go func() { defer close(done); heartbeat.Run(ctx, opts) }()
	var once sync.Once
	end = func() { once.Do(func() { cancel(); <-done }) }
	t.Cleanup(end)
	return end
}

func (w *ward) next(t *testing.T) string {
	t.Helper()
	select {
	case asked := <-w.asked:
		return asked
	case <-time.After(time.Minute):
		t.Fatal("no beat came")
		return ""
	}
}

// until waits for a line of the log.
func (p *patient) until(t *testing.T, line string) {
	t.Helper()
	late := time.After(time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(p.log.String(), line) {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("the log has no %q:\n%s", line, p.log.String())
		}
	}
}

// often is more often than a configuration may say.
const often = config.Duration(10 * time.Millisecond)

func TestItBeatsWhileTheAgentIsWell(t *testing.T) {
	w, p := newWard(t), &patient{}
	file := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(file, []byte(w.URL+secret+"?rid=7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	end := p.beats(t, config.Heartbeat{URLFile: file, Interval: often})
	for range 3 {
		if got := w.next(t); got != "GET "+secret+"?rid=7" {
			t.Errorf("asked %s", got)
		}
	}
	end()
	if p.log.String() != "" {
		t.Errorf("the log has:\n%s", p.log.String())
	}
}

// A server may answer /x/ alone, and send whoever asks /x elsewhere.
func TestTheURLIsAskedAsItIsGiven(t *testing.T) {
	for path, failing := range map[string]string{secret + "/": secret + "/fail", secret + "%2Fa/?rid=7": secret + "%2Fa/fail?rid=7", "/": "/fail"} {
		w, p := newWard(t), &patient{}
		end := p.beats(t, config.Heartbeat{URL: w.URL + path, Interval: often, Fail: true})
		if got := w.next(t); got != "GET "+path {
			t.Errorf("asked %s, want %s", got, path)
		}
		p.ill.Store(true)
		for got := w.next(t); got != "GET "+failing; got = w.next(t) {
			if got != "GET "+path {
				t.Fatalf("asked %s, want %s", got, failing)
			}
		}
		end()
	}
}

func TestALoopThatHangsIsSilenceOrAFailure(t *testing.T) {
	w, p := newWard(t), &patient{}
	p.ill.Store(true)
	end := p.beats(t, config.Heartbeat{URL: w.URL + secret + "?rid=7", Interval: often, Fail: true})
	if got := w.next(t); got != "GET "+secret+"/fail?rid=7" {
		t.Errorf("asked %s", got)
	}
	p.ill.Store(false)
	for w.next(t) != "GET "+secret+"?rid=7" {
	}
	end()
	for len(w.asked) > 0 {
		<-w.asked
	}
	for _, quiet := range []func(*patient){func(p *patient) { p.ill.Store(true) }, func(p *patient) { p.idle.Store(true) }} {
		p := &patient{}
		quiet(p)
		turns := atomic.Int64{}
		ctx, cancel := context.WithCancel(t.Context())
		heartbeat.Run(ctx, heartbeat.Options{
			Heartbeat: config.Heartbeat{URL: w.URL + secret, Interval: often}, Log: slog.New(slog.DiscardHandler),
			Busy: func() bool {
				if turns.Add(1) == 5 {
					cancel()
				}
				return !p.idle.Load()
			},
			Well: func() string { return "a loop hangs" },
		})
		if len(w.asked) != 0 {
			t.Errorf("asked %s", <-w.asked)
		}
	}
}

// Whatever the server does, the next beat comes, and nobody reads the URL in the log.
func TestAServerThatMisbehavesHoldsUpNobody(t *testing.T) {
	elsewhere := newWard(t)
	release := make(chan struct{})
	for name, tt := range map[string]struct {
		does http.HandlerFunc
		want string
	}{
		"500": {func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(500) }, "answered 500"},
		"404": {func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(404) }, "answered 404"},
		"redirect": {func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, elsewhere.URL+secret, http.StatusFound)
		}, "no redirect is followed"},
		"hang": {func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-release:
			}
		}, "does not answer"},
		"hangs up": {func(rw http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(rw).Hijack()
			if err == nil {
				_ = conn.Close()
			}
		}, "does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			w, p := newWard(t), &patient{}
			w.says(tt.does)
			end := p.beats(t, config.Heartbeat{URL: w.URL + secret, Interval: often, Timeout: config.Duration(50 * time.Millisecond)})
			w.next(t)
			p.until(t, tt.want)
			w.says(func(http.ResponseWriter, *http.Request) {})
			p.until(t, "goes through again")
			end()
			if strings.Contains(p.log.String(), "planted") {
				t.Errorf("the log shows the URL:\n%s", p.log.String())
			}
		})
	}
	close(release)
	if len(elsewhere.asked) > 0 {
		t.Errorf("a redirect was followed: %s", <-elsewhere.asked)
	}
}

func TestWhatCannotBeAskedIsSaid(t *testing.T) {
	dir := t.TempDir()
	nonsense := filepath.Join(dir, "nonsense")
	if err := os.WriteFile(nonsense, []byte("planted-token"), 0o600); err != nil {
		t.Fatal(err)
	}
	long := filepath.Join(dir, "long")
	if err := os.WriteFile(long, []byte("https://127.0.0.1/"+strings.Repeat("planted", 5000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, conf := range map[string]config.Heartbeat{
		"no such file":                 {URLFile: filepath.Join(dir, "missing")},
		"is no regular file":           {URLFile: dir},
		"is longer than":               {URLFile: long},
		"none of http or https":        {URLFile: nonsense},
		"has no SYNCD_TEST_BEAT":       {URLEnv: "SYNCD_TEST_BEAT"},
		"read the authority of the he": {URL: "https://127.0.0.1/", CAFile: nonsense},
	} {
		err := heartbeat.Check(conf)
		if err == nil || !strings.Contains(err.Error(), want) || fault.Of(err) != fault.Blocked || fault.Advice(err) == "" || strings.Contains(err.Error(), "planted") {
			t.Errorf("want %q, got %v (%v, %q)", want, err, fault.Of(err), fault.Advice(err))
		}
	}
}

// A bundle of authorities, as systems keep it, is some hundred kilobytes long.
func TestABundleOfAuthoritiesIsReadToItsEnd(t *testing.T) {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	bundle := filepath.Join(t.TempDir(), "ca-certificates.crt")
	if err := os.WriteFile(bundle, append([]byte(strings.Repeat("# another authority\n", 10_000)), own...), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := heartbeat.Check(config.Heartbeat{URL: s.URL, CAFile: bundle}); err != nil {
		t.Error(err)
	}
}
