package webhook

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
)

// place is a receiver that listens, and what it causes.
type place struct {
	*Receiver
	t       *testing.T
	address string
	secret  string // the file of the hook called forge
	looks   atomic.Int64
	log     *lines
}

// lines is a log that a test reads.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// free is an address of the loopback that nobody listens at.
func free(t *testing.T) string {
	t.Helper()
	var conf net.ListenConfig
	l, err := conf.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func listening(t *testing.T, change ...func(*Options)) *place {
	t.Helper()
	p := &place{t: t, secret: write(t, "secret", everybody+"\n"), log: &lines{}}
	opts := Options{
		Webhook: config.Webhook{
			Listen: free(t), Path: "/hooks", Pause: config.Duration(time.Millisecond),
			Hooks: []config.Hook{{Name: "forge", Provider: "github", SecretFile: p.secret}},
		},
		Look: func() { p.looks.Add(1) },
		Log:  slog.New(slog.NewTextHandler(p.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, c := range change {
		c(&opts)
	}
	r, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	p.Receiver, p.address = r, opts.Listen
	ctx, end := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- r.Serve(ctx) }()
	t.Cleanup(func() {
		end()
		if err := <-served; err != nil {
			t.Errorf("the receiver ended with %v", err)
		}
	})
	p.eventually("it listens", func() bool {
		conn, err := net.Dial("tcp", p.address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return p
}

func (p *place) eventually(what string, is func() bool) {
	p.t.Helper()
	for late := time.After(2 * time.Minute); !is(); {
		select {
		case <-late:
			p.t.Fatalf("not in time: %s", what)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// push is a webhook as GitHub sends it.
func (p *place) push(body string) *http.Request {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, "http://"+p.address+"/hooks/forge", strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(signed([]byte(everybody), []byte(body))))
	return req
}

// send returns status and text of the answer.
func (p *place) send(req *http.Request) (int, string) {
	p.t.Helper()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func TestAWebhookMeansLookNow(t *testing.T) {
	p := listening(t)
	if status, text := p.send(p.push("not even JSON")); status != http.StatusAccepted || text != "accepted\n" {
		t.Errorf("it answers %d %q", status, text)
	}
	p.eventually("it looks", func() bool { return p.looks.Load() == 1 })
	if n := p.Accepted()["forge"]; n != 1 || len(p.Refused()) != 0 {
		t.Errorf("accepted %d, refused %v", n, p.Refused())
	}
}

// Nobody who is refused learns why, and nothing is looked at for their sake.
func TestWhatIsNoWebhookIsRefused(t *testing.T) {
	p := listening(t)
	big := strings.Repeat("x", maxBody+1)
	for name, c := range map[string]struct {
		change func(*http.Request)
		body   string
		status int
		why    string
	}{
		"another signature": {func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", "sha256="+bitbucketSum) }, "a", 401, "signature"},
		"no signature":      {func(r *http.Request) { r.Header.Del("X-Hub-Signature-256") }, "a", 401, "signature"},
		"GET":               {func(r *http.Request) { r.Method = http.MethodGet }, "", 405, "method"},
		"PUT":               {func(r *http.Request) { r.Method = http.MethodPut }, "a", 405, "method"},
		"no type":           {func(r *http.Request) { r.Header.Del("Content-Type") }, "a", 415, "type"},
		"another type":      {func(r *http.Request) { r.Header.Set("Content-Type", "multipart/form-data; boundary=x") }, "a", 415, "type"},
		"another hook":      {func(r *http.Request) { r.URL.Path = "/hooks/other" }, "a", 404, "path"},
		"below the hook":    {func(r *http.Request) { r.URL.Path = "/hooks/forge/x" }, "a", 404, "path"},
		"the root":          {func(r *http.Request) { r.URL.Path = "/" }, "a", 404, "path"},
		"too much":          {func(*http.Request) {}, big, 413, "size"},
		"too much, untold":  {func(r *http.Request) { r.ContentLength = -1 }, big, 413, "size"},
	} {
		t.Run(name, func(t *testing.T) {
			req := p.push(c.body)
			c.change(req)
			before := p.sum(c.why)
			status, text := p.send(req)
			if status != c.status || text != http.StatusText(c.status)+"\n" {
				t.Errorf("it answers %d %q, want %d", status, text, c.status)
			}
			if after := p.sum(c.why); after != before+1 {
				t.Errorf("refused because of the %s: %d times, want %d; %v", c.why, after, before+1, p.Refused())
			}
		})
	}
	if n := p.looks.Load(); n != 0 {
		t.Errorf("it looked %d times", n)
	}
	if log := p.log.String(); strings.Contains(log, everybody) || strings.Contains(log, githubSum) {
		t.Errorf("the log holds a secret:\n%s", log)
	}
}

// sum is how many were refused for one reason, whatever they were for.
func (p *place) sum(why string) (n uint64) {
	for of, count := range p.Refused() {
		if of[1] == why {
			n += count
		}
	}
	return n
}

// A secret that changes on the disk counts at once; one that is lost lets nobody in.
func TestASecretIsReadAnew(t *testing.T) {
	p := listening(t)
	steps := []struct {
		secret string // empty is none
		status int
	}{{everybody, 202}, {"another\n", 401}, {"", 401}, {" \n", 401}, {everybody + "\r\n", 202}}
	for _, s := range steps {
		if err := os.WriteFile(p.secret, []byte(s.secret), 0o600); err != nil {
			t.Fatal(err)
		}
		status, text := p.send(p.push("a"))
		if status != s.status || status == 401 && text != "Unauthorized\n" {
			t.Errorf("with the secret %q it answers %d %q, want %d", s.secret, status, text, s.status)
		}
	}
	if err := os.Remove(p.secret); err != nil {
		t.Fatal(err)
	}
	if status, text := p.send(p.push("a")); status != 401 || text != "Unauthorized\n" {
		t.Errorf("without its file it answers %d %q", status, text)
	}
	if refused := p.Refused(); refused[[2]string{"forge", "secret"}] != 3 || refused[[2]string{"forge", "signature"}] != 1 {
		t.Errorf("refused: %v", refused)
	}
	if log := p.log.String(); strings.Count(log, "level=WARN") != 2 || strings.Count(log, "accepted again") != 1 {
		t.Errorf("the log says\n%s", log)
	}
}

func TestAReceiverWithoutSecretsDoesNotBegin(t *testing.T) {
	for name, file := range map[string]string{
		"missing": filepath.Join(t.TempDir(), "missing"), "empty": write(t, "empty", "\n"), "a directory": t.TempDir(),
		"too long": write(t, "long", strings.Repeat("x", maxSecret+1)), "half a token": write(t, "half", "whsec_?"),
	} {
		_, err := New(Options{Webhook: config.Webhook{Hooks: []config.Hook{{Name: "forge", Provider: "github", SecretFile: file}}}})
		if fault.Of(err) != fault.Blocked || !strings.Contains(err.Error(), "webhook forge") || fault.Advice(err) == "" {
			t.Errorf("%s: %v, hint %q", name, err, fault.Advice(err))
		}
	}
}

func TestAnAddressThatIsTakenIsSaid(t *testing.T) {
	p := listening(t)
	if err := p.Serve(t.Context()); fault.Of(err) != fault.Blocked || !strings.Contains(fault.Advice(err), "webhook.listen") {
		t.Errorf("a second one ends with %v", err)
	}
}

// Who stands by could do nothing about it: the forge is told to come again.
func TestWhoStandsByAcceptsNothing(t *testing.T) {
	leads := atomic.Bool{}
	p := listening(t, func(o *Options) { o.Ready = leads.Load })
	if status, _ := p.send(p.push("a")); status != http.StatusServiceUnavailable {
		t.Errorf("it answers %d", status)
	}
	leads.Store(true)
	if status, _ := p.send(p.push("a")); status != http.StatusAccepted {
		t.Errorf("it answers %d", status)
	}
}

// A sender that drips its request is not waited for.
func TestASlowSenderIsNotWaitedFor(t *testing.T) {
	p := listening(t)
	conn, err := net.Dial("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST /hooks/forge HTTP/1.1\r\nHost: a\r\n"); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if err := conn.SetReadDeadline(begun.Add(4 * headerLimit)); err != nil {
		t.Fatal(err)
	}
	_, err = io.ReadAll(conn)
	if took := time.Since(begun); err != nil || took > 2*headerLimit {
		t.Errorf("after %s: %v", took, err)
	}
	if status, _ := p.send(p.push("a")); status != http.StatusAccepted {
		t.Errorf("others are answered %d meanwhile", status)
	}
}

// Replays and floods are a few looks, and the last one is never lost.
func TestFloodsBecomeFewLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var looks []time.Duration
		begun := time.Now()
		b := newBell(2*time.Second, func() { looks = append(looks, time.Since(begun)) })
		ctx, end := context.WithCancel(t.Context())
		over := make(chan struct{})
		go func() { b.keep(ctx); close(over) }()
		for range 500 { // a hundred a second, for five seconds
			b.ring()
			<-time.After(10 * time.Millisecond)
		}
		<-time.After(time.Minute)
		b.ring()
		<-time.After(time.Minute)
		end()
		<-over
		want := "[0s 2s 4s 6s 1m5s]"
		if got := fmt.Sprint(looks); got != want {
			t.Errorf("it looked at %s, want %s", got, want)
		}
	})
}

// Bodies are held for a few at once; whoever comes besides is told to come again.
func TestACrowdIsBounded(t *testing.T) {
	p := listening(t)
	var held []net.Conn
	for range atOnce {
		conn, err := net.Dial("tcp", p.address)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, conn)
		if _, err := io.WriteString(conn, "POST /hooks/forge HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	p.eventually("all are held", func() bool { return len(p.places) == atOnce })
	if status, _ := p.send(p.push("a")); status != http.StatusServiceUnavailable {
		t.Errorf("one more is answered %d", status)
	}
	for _, conn := range held {
		_ = conn.Close()
	}
	p.eventually("they are let go", func() bool { return len(p.places) == 0 })
	if status, _ := p.send(p.push("a")); status != http.StatusAccepted {
		t.Errorf("later it is answered %d", status)
	}
}

// A certificate that is renewed is shown without a restart, and half a renewal is
// not.
func TestACertificateIsReadAnew(t *testing.T) {
	certFile, keyFile := write(t, "cert.pem", ""), write(t, "key.pem", "")
	renew := func(serial int64) *x509.CertPool {
		t.Helper()
		cert, key := selfSigned(t, serial)
		for file, data := range map[string][]byte{certFile: cert, keyFile: key} {
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(file, time.Time{}, time.Unix(serial, 0)); err != nil {
				t.Fatal(err)
			}
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(cert)
		return pool
	}
	hook := config.Webhook{CertFile: certFile, KeyFile: keyFile}
	if _, err := New(Options{Webhook: hook}); fault.Of(err) != fault.Blocked {
		t.Errorf("with an empty certificate: %v", err)
	}
	pool := renew(1)
	p := listening(t, func(o *Options) { o.CertFile, o.KeyFile = certFile, keyFile })
	over := func(pool *x509.CertPool) error {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true}}
		req := p.push("a")
		req.URL.Scheme = "https"
		res, err := client.Do(req)
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode != http.StatusAccepted {
				t.Errorf("it answers %d", res.StatusCode)
			}
		}
		return err
	}
	if err := over(pool); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(keyFile, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := over(pool); err != nil {
		t.Errorf("with half a renewal: %v", err)
	}
	if err := over(renew(2)); err != nil {
		t.Errorf("renewed: %v", err)
	}
}

// selfSigned is a certificate for the loopback, and its key, in PEM.
func selfSigned(t *testing.T, serial int64) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	draft := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, draft, draft, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw})
}
