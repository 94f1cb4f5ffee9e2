package source_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
)

// environ is the agent's environment.
func environ(vars map[string]string) func(*source.Options) {
	return func(o *source.Options) {
		o.Environ = func(name string) (string, bool) { value, ok := vars[name]; return value, ok }
	}
}

// keepsSecret fails the test where a secret is in what people see.
func keepsSecret(t *testing.T, r *source.Repository, err error, secrets ...string) {
	t.Helper()
	seen, encodeErr := json.Marshal(r.Remotes())
	if encodeErr != nil {
		t.Fatal(encodeErr)
	}
	text := string(seen) + r.String()
	if err != nil {
		text += err.Error() + fault.Advice(err)
	}
	for _, secret := range secrets {
		if strings.Contains(text, secret) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte("ann:"+secret))) {
			t.Errorf("%q is shown: %s", secret, text)
		}
	}
}

func TestTheTokenMayStandInAVariable(t *testing.T) {
	g := newRepo(t)
	g.commit("x")
	s := start(t, true, g, guarded)
	vars := map[string]string{"GIT_TOKEN": "wr0ng-w0rd"}
	r := follow(t, s.URL, trusting(t, s), environ(vars), func(o *source.Options) { o.Auth.Username, o.Auth.PasswordEnv = "ann", "GIT_TOKEN" })
	_, err := r.Resolve(t.Context())
	wantFault(t, err, fault.Blocked, "login", "GIT_TOKEN")
	keepsSecret(t, r, err, "wr0ng-w0rd")
	vars["GIT_TOKEN"] = token
	load(t, r)
	delete(vars, "GIT_TOKEN")
	_, err = r.Resolve(t.Context())
	wantFault(t, err, fault.Blocked, "no variable GIT_TOKEN", "EnvironmentFile")
}

// authority signs certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "syncdtest"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	a.key = newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue makes a certificate for 127.0.0.1 that is valid until then, with its key, in PEM.
func (a *authority) issue(until time.Time) (cert, key []byte) {
	a.t.Helper()
	own := newKey(a.t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(until.Unix()), Subject: pkix.Name{CommonName: "leaf"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &own.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		a.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

// pair is issue for crypto/tls.
func (a *authority) pair(until time.Time) tls.Certificate {
	a.t.Helper()
	pair, err := tls.X509KeyPair(a.issue(until))
	if err != nil {
		a.t.Fatal(err)
	}
	return pair
}

func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// serveTLS serves g with these settings.
func serveTLS(t *testing.T, g *repo, conf *tls.Config) string {
	t.Helper()
	s := httptest.NewUnstartedServer(backend(t, g))
	s.TLS = conf
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // refusals are what is tested
	s.StartTLS()
	t.Cleanup(s.CloseClientConnections)
	t.Cleanup(s.Close)
	return s.URL + "/.git"
}

// keep writes a file and returns its path.
func keep(t *testing.T, path string, content []byte) string {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAServerMayWantAClientCertificate(t *testing.T) {
	g := newRepo(t)
	g.commit("x")
	a, stranger := newAuthority(t), newAuthority(t)
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	url := serveTLS(t, g, &tls.Config{Certificates: []tls.Certificate{a.pair(time.Now().Add(time.Hour))}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool})
	dir := t.TempDir()
	cert, key := a.issue(time.Now().Add(time.Hour))
	auth := config.Auth{CAFile: keep(t, dir+"/ca", a.pem()), ClientCertFile: keep(t, dir+"/cert", cert), ClientKeyFile: keep(t, dir+"/key", key)}
	with := func(change func(*config.Auth)) *source.Repository {
		own := auth
		change(&own)
		return follow(t, url, func(o *source.Options) { o.Auth = own })
	}
	r := with(func(*config.Auth) {})
	load(t, r)
	_, err := with(func(a *config.Auth) { a.ClientCertFile, a.ClientKeyFile = "", "" }).Resolve(t.Context())
	wantFault(t, err, fault.Blocked, "certificate required", "clientCertFile")

	cert, key = stranger.issue(time.Now().Add(time.Hour))
	keep(t, dir+"/cert", cert)
	_, err = r.Resolve(t.Context())
	wantFault(t, err, fault.Blocked, "do not belong together", "clientKeyFile")
	keep(t, dir+"/key", key)
	_, err = r.Resolve(t.Context())
	wantFault(t, err, fault.Blocked, "certificate", "clientCertFile")
	keepsSecret(t, r, err, string(key[40:80]))
	cert, key = a.issue(time.Now().Add(-time.Minute))
	keep(t, dir+"/cert", cert)
	keep(t, dir+"/key", key)
	_, err = r.Resolve(t.Context())
	wantFault(t, err, fault.Blocked, "certificate", "expired")
	cert, key = a.issue(time.Now().Add(time.Hour))
	keep(t, dir+"/cert", cert)
	keep(t, dir+"/key", key)
	load(t, r) // both are read anew
}

func TestAnExpiredCertificateOfTheServerIsRefused(t *testing.T) {
	g := newRepo(t)
	g.commit("x")
	a := newAuthority(t)
	url := serveTLS(t, g, &tls.Config{Certificates: []tls.Certificate{a.pair(time.Now().Add(-time.Minute))}})
	ca := keep(t, filepath.Join(t.TempDir(), "ca"), a.pem())
	_, err := follow(t, url, func(o *source.Options) { o.Auth.CAFile = ca }).Resolve(t.Context())
	wantFault(t, err, fault.Unreachable, "certificate has expired", "")
}

// throughProxy is a proxy that wants a password, and takes every CONNECT to one server.
func throughProxy(t *testing.T, server string) (url string, tunnels *atomic.Int64) {
	t.Helper()
	tunnels = &atomic.Int64{}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		want := "Basic " + base64.StdEncoding.EncodeToString([]byte("joe:pr0xy-w0rd"))
		if r.Method != http.MethodConnect || r.Header.Get("Proxy-Authorization") != want {
			http.Error(w, "no", http.StatusProxyAuthRequired)
			return
		}
		far, err := net.Dial("tcp", server)
		if err != nil {
			http.Error(w, "away", http.StatusBadGateway)
			return
		}
		near, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			_ = far.Close()
			return
		}
		tunnels.Add(1)
		_, _ = near.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
		go func() { // ends with either connection
			_, _ = io.Copy(far, buffered)
			_ = far.Close()
		}()
		_, _ = io.Copy(near, far)
		_ = near.Close()
	}))
	t.Cleanup(proxy.Close)
	return strings.TrimPrefix(proxy.URL, "http://"), tunnels
}

// TestARepositoryBehindAProxy: agent and child go through it, and its password is
// nowhere to be seen.
func TestARepositoryBehindAProxy(t *testing.T) {
	g := newRepo(t)
	g.commit("x")
	s := start(t, true, g) // its certificate is for example.com
	proxy, tunnels := throughProxy(t, s.Listener.Addr().String())
	behind := func(word string) *source.Repository {
		return follow(t, "https://example.com/.git", trusting(t, s), environ(map[string]string{"HTTPS_PROXY": "http://joe:" + word + "@" + proxy}))
	}
	r := behind("pr0xy-w0rd")
	load(t, r)
	if n := tunnels.Load(); n < 2 {
		t.Errorf("%d connections went through the proxy, want the query's and the fetch's", n)
	}
	r = behind("wr0ng-w0rd")
	_, err := r.Resolve(t.Context())
	wantFault(t, err, fault.Unreachable, "Proxy Authentication Required", "")
	keepsSecret(t, r, err, "wr0ng-w0rd")
	_, err = r.Load(t.Context(), g.git("rev-parse", "HEAD"))
	wantFault(t, err, fault.Unreachable, "Proxy Authentication Required", "")
	keepsSecret(t, r, err, "wr0ng-w0rd")
	r = follow(t, "https://example.com/.git", environ(map[string]string{"HTTPS_PROXY": "http://joe:wr0ng-w0rd@[::1:1"}))
	_, err = r.Resolve(t.Context())
	wantFault(t, err, fault.Blocked, "cannot be read", "HTTPS_PROXY")
	keepsSecret(t, r, err, "wr0ng-w0rd")
}

// agentWith is an ssh-agent that holds these keys.
func agentWith(t *testing.T, keys ...any) string {
	t.Helper()
	ring := agent.NewKeyring()
	for _, key := range keys {
		if err := ring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := os.MkdirTemp("", "syncdtest-") // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "agent"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() { // ends with the listener
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_ = agent.ServeAgent(ring, conn)
				_ = conn.Close()
			}()
		}
	}()
	return l.Addr().String()
}

func TestTheKeysOfAnAgentLogIn(t *testing.T) {
	g := newRepo(t)
	g.commit("x")
	s := serveSSH(t)
	stranger, _ := newSigner(t)
	good := s.login(t, s.client, s.host.PublicKey(), "")
	from := func(socket string) *source.Repository {
		return follow(t, s.url(g), good, func(o *source.Options) { o.Auth.SSHKeyFile, o.Auth.SSHAgent = "", true }, environ(map[string]string{"SSH_AUTH_SOCK": socket}))
	}
	load(t, from(agentWith(t, stranger, s.client)))
	_, err := from(agentWith(t, stranger)).Resolve(t.Context())
	wantFault(t, err, fault.Blocked, "refused the SSH key", "ssh-agent")
	_, err = from(agentWith(t)).Resolve(t.Context())
	wantFault(t, err, fault.Blocked, "holds no key", "")
	_, err = from("").Resolve(t.Context())
	wantFault(t, err, fault.Blocked, "no SSH_AUTH_SOCK", "sshKeyFile")
	_, err = from("/nonexistent/agent").Resolve(t.Context())
	wantFault(t, err, fault.Blocked, "reach the ssh-agent at /nonexistent/agent: no such file", "")
	_, err = follow(t, s.url(g), s.login(t, stranger, s.host.PublicKey(), ""), environ(map[string]string{"SSH_AUTH_SOCK": agentWith(t, s.client)})).Resolve(t.Context())
	wantFault(t, err, fault.Blocked, "refused the SSH key", "") // nobody asked for the agent
}

// TestAHostThatIsMetFirstIsTrustedWhereThatIsAskedFor: and only as long as it shows
// the same key.
func TestAHostThatIsMetFirstIsTrustedWhereThatIsAskedFor(t *testing.T) {
	g := newRepo(t)
	head := g.commit("x")
	s := serveSSH(t)
	dir := t.TempDir()
	met := filepath.Join(dir, "state", "known_hosts")
	meets := func(s *sshSite, change ...func(*source.Options)) *source.Repository {
		set := s.login(t, s.client, s.host.PublicKey(), "")
		return follow(t, s.url(g), append([]func(*source.Options){set, func(o *source.Options) {
			o.Auth.KnownHostsFile, o.Auth.KnownHosts, o.KnownHosts = "", "accept-new", met
		}}, change...)...)
	}
	r := meets(s, func(o *source.Options) { o.Ref = config.Ref{Commit: head} })
	load(t, r) // the fetch is the first that goes there
	kept, err := os.ReadFile(met)
	if want := knownhosts.Line([]string{knownhosts.Normalize(s.addr)}, s.host.PublicKey()) + "\n"; err != nil || string(kept) != want {
		t.Errorf("kept is %q, %v; want %q", kept, err, want)
	}
	load(t, meets(s))
	other := serveSSH(t)
	load(t, meets(other)) // the file holds several
	_, imposter := newSigner(t)
	keep(t, met, bytes.ReplaceAll(kept, []byte(strings.Fields(string(kept))[2]), []byte(base64.StdEncoding.EncodeToString(imposter.PublicKey().Marshal()))))
	_, err = meets(s).Resolve(t.Context())
	wantFault(t, err, fault.Blocked, "not the one in the known hosts", "compare")
	revoked := keep(t, filepath.Join(dir, "revoked"), []byte("@revoked * "+string(ssh.MarshalAuthorizedKey(s.host.PublicKey()))))
	keep(t, met, nil)
	if err := os.Remove(met); err != nil {
		t.Fatal(err)
	}
	_, err = meets(s, func(o *source.Options) { o.Auth.KnownHostsFile = revoked }).Resolve(t.Context())
	wantFault(t, err, fault.Blocked, "revoked", "")
	if _, err := os.Stat(met); err == nil {
		t.Error("a revoked key was kept")
	}
	_, err = meets(s, func(o *source.Options) { o.Auth.KnownHosts, o.Auth.KnownHostsFile = "strict", revoked }).Resolve(t.Context())
	wantFault(t, err, fault.Blocked, "", "")
}

// TestAMirrorMayHaveALoginOfItsOwn: else it gets that of the repository.
func TestAMirrorMayHaveALoginOfItsOwn(t *testing.T) {
	g := newRepo(t)
	head := g.commit("x")
	var asked atomic.Value
	url := serveSwitched(t, g)
	mirror := start(t, true, g, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			user, _, _ := r.BasicAuth()
			asked.Store(user)
			guarded(h).ServeHTTP(w, r)
		})
	})
	url.off.Store(true)
	own := private(t, mirror, token)
	h := newHost(t, url.URL, nil, func(o *source.Options) {
		other := source.Options{}
		own(&other)
		o.Mirrors = []config.Mirror{{URL: mirror.URL, Auth: &other.Auth}}
	})
	h.takes("with its own", head)
	h.restart(func(o *source.Options) { o.Mirrors[0].Auth.Username = "eve" })
	h.refuses("with another one", fault.Unreachable, "no remote serves", "wants a login")
	h.states("with another one", "unreachable refused")
	h.restart(func(o *source.Options) { o.Mirrors[0].Auth = &config.Auth{CAFile: o.Mirrors[0].Auth.CAFile} })
	h.refuses("without one", fault.Unreachable, "wants a login")
	if user, _ := asked.Load().(string); user != "" {
		t.Errorf("the user %q was sent", user)
	}
	_, err := source.Open(source.Options{URL: "https://host/x", Auth: config.Auth{PasswordFile: "/p"}, Mirrors: []config.Mirror{{URL: "http://other/x", Auth: &config.Auth{AllowHTTP: true}}, {URL: "http://third/x"}}})
	wantFault(t, err, fault.Rejected, "http is neither private nor safe", "")
	_, err = source.Open(source.Options{URL: "/x", Mirrors: []config.Mirror{{URL: "/y"}, {URL: "https://me:hunter2@other/x"}}})
	wantFault(t, err, fault.Rejected, "repo.mirrors[1].url: it holds a user name, password or token", "passwordFile")
	_, err = source.Open(source.Options{URL: "/x", Mirrors: []config.Mirror{{URL: "ssh://other/x", Auth: &config.Auth{SSHKeyFile: "/k"}}}})
	wantFault(t, err, fault.Rejected, "repo.mirrors[0].auth.knownHostsFile is missing", "repo.mirrors[0].auth.knownHostsFile")
}

// TestEachRemoteHasItsTime: one that hangs, and one that sends a byte at a time.
func TestEachRemoteHasItsTime(t *testing.T) {
	g := newRepo(t)
	head := g.commit("x")
	over := make(chan struct{})
	hangs := serve(t, g, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over })
	})
	drips := serve(t, g, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
			line := "fff0" // a long one
			for tick := time.NewTicker(20 * time.Millisecond); ; line = line[1:] + "a" {
				_, _ = w.Write([]byte(line[:1]))
				_ = http.NewResponseController(w).Flush()
				select {
				case <-over:
					tick.Stop()
					return
				case <-tick.C:
				}
			}
		})
	})
	silent := serveSSH(t)
	silent.addr = listen(t, func(c net.Conn) {
		defer c.Close()
		_, _ = io.Copy(io.Discard, c)
	})
	t.Cleanup(func() { close(over) }) // runs before the servers are closed
	login := source.Options{}
	silent.login(t, silent.client, silent.host.PublicKey(), "")(&login)
	h := newHost(t, hangs.URL, []string{drips.URL}, func(o *source.Options) {
		o.Timeout = 700 * time.Millisecond
		o.Mirrors = append(o.Mirrors, config.Mirror{URL: silent.url(g), Auth: &login.Auth}, config.Mirror{URL: g.dir})
	})
	begun := time.Now()
	h.takes("from the last", head)
	h.states("from the last", "unreachable unreachable unreachable serving")
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	for i, want := range []string{"did not answer in time", "", "longer than 700ms", ""} {
		if r := h.repo.Remotes()[i]; !strings.Contains(r.Reason, want) {
			t.Errorf("%s: %q, want %q", r.Name, r.Reason, want)
		}
	}
}
