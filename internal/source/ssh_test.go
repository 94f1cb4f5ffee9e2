package source_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
)

// sshSite is an SSH server that runs git-upload-pack for one key.
type sshSite struct {
	addr   string
	host   ssh.Signer
	client ed25519.PrivateKey
}

func newSigner(t *testing.T) (ed25519.PrivateKey, ssh.Signer) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return key, signer
}

func serveSSH(t *testing.T) *sshSite {
	t.Helper()
	client, allowed := newSigner(t)
	_, host := newSigner(t)
	conf := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if string(key.Marshal()) != string(allowed.PublicKey().Marshal()) {
			return nil, errors.New("unknown key")
		}
		return nil, nil
	}}
	conf.AddHostKey(host)
	l := listen(t, func(c net.Conn) { sshConn(c, conf) })
	return &sshSite{l, host, client}
}

// listen serves each connection in a goroutine that ends with the test.
func listen(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go handle(c)
		}
	}()
	return l.Addr().String()
}

func sshConn(c net.Conn, conf *ssh.ServerConfig) {
	defer c.Close()
	_, channels, requests, err := ssh.NewServerConn(c, conf)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for offered := range channels {
		ch, in, err := offered.Accept()
		if err != nil {
			return
		}
		for req := range in {
			var command struct{ Line string }
			if req.Type != "exec" || ssh.Unmarshal(req.Payload, &command) != nil {
				_ = req.Reply(req.Type == "env", nil)
				continue
			}
			_ = req.Reply(true, nil)
			status := struct{ Status uint32 }{upload(ch, command.Line)}
			_, _ = ch.SendRequest("exit-status", false, ssh.Marshal(status))
			_ = ch.Close()
		}
	}
}

// upload runs "git-upload-pack 'PATH'".
func upload(ch ssh.Channel, line string) uint32 {
	name, path, _ := strings.Cut(line, " ")
	if name != "git-upload-pack" {
		return 127
	}
	cmd := exec.Command("git", "-c", "safe.directory=*", "upload-pack", strings.Trim(path, "'"))
	cmd.Stdout, cmd.Stderr = ch, ch.Stderr()
	in, err := cmd.StdinPipe()
	if err != nil {
		return 1
	}
	go func() { // ends with the channel, which the caller closes
		_, _ = io.Copy(in, ch)
		_ = in.Close()
	}()
	if cmd.Run() != nil {
		return 1
	}
	return 0
}

// login writes the files that the configuration names.
func (s *sshSite) login(t *testing.T, key ed25519.PrivateKey, host ssh.PublicKey, passphrase string) func(*source.Options) {
	t.Helper()
	dir := t.TempDir()
	block, err := ssh.MarshalPrivateKey(key, "")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	known := knownhosts.Line([]string{knownhosts.Normalize(s.addr)}, host) + "\n"
	for name, data := range map[string]string{"key": string(pem.EncodeToMemory(block)), "known_hosts": known, "pass": passphrase + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return func(o *source.Options) {
		o.Auth = config.Auth{SSHKeyFile: filepath.Join(dir, "key"), KnownHostsFile: filepath.Join(dir, "known_hosts")}
		if passphrase != "" {
			o.Auth.SSHPassphraseFile = filepath.Join(dir, "pass")
		}
	}
}

func (s *sshSite) url(g *repo) string { return "ssh://git@" + s.addr + g.dir }

func TestSSHRepository(t *testing.T) {
	g := newRepo(t)
	g.write("a", "x")
	old := g.commit("first")
	g.git("tag", "-a", "v1", "-m", "one")
	g.write("a", "y")
	head := g.commit("second")
	s := serveSSH(t)
	for _, passphrase := range []string{"", "open sesame"} {
		r := follow(t, s.url(g), s.login(t, s.client, s.host.PublicKey(), passphrase))
		if got := load(t, r); got.Revision.Commit != head || files(got) != "a\n" {
			t.Errorf("got %+v", got)
		}
		if commit, err := r.ResolveRef(t.Context(), "v1"); err != nil || commit != old {
			t.Errorf("tag: %s, %v", commit, err)
		}
		if got, err := r.Load(t.Context(), old); err != nil || got.Revision.Subject != "first" {
			t.Errorf("the tag's commit: %v", err)
		}
	}
	later := follow(t, s.url(g), s.login(t, s.client, s.host.PublicKey(), ""))
	if got, err := later.Load(t.Context(), old); err != nil || got.Revision.Subject != "first" {
		t.Errorf("an older commit: %v", err)
	}
}

func TestSSHFailures(t *testing.T) {
	g := newRepo(t)
	empty := newRepo(t)
	g.commit("x")
	s := serveSSH(t)
	_, other := newSigner(t)
	stranger, _ := newSigner(t)
	good := s.login(t, s.client, s.host.PublicKey(), "")
	elsewhere := *s
	elsewhere.addr = "127.0.0.1:1"
	for name, c := range map[string]struct {
		url        string
		set        func(*source.Options)
		class      fault.Class
		text, hint string
	}{
		"changed host key": {s.url(g), s.login(t, s.client, other.PublicKey(), ""), fault.Blocked, "not the one in the known hosts", "compare"},
		"unknown host":     {s.url(g), elsewhere.login(t, s.client, s.host.PublicKey(), ""), fault.Blocked, "not among the known hosts", "ssh-keyscan"},
		"refused key":      {s.url(g), s.login(t, stranger, s.host.PublicKey(), ""), fault.Blocked, "refused the SSH key", "/key"},
		"no repository":    {"ssh://git@" + s.addr + "/nonexistent", good, fault.Unreachable, "", ""},
		"no such branch":   {s.url(g), func(o *source.Options) { good(o); o.Ref.Branch = "mian" }, fault.Rejected, "no branch mian", "main"},
		"empty":            {s.url(empty), good, fault.Rejected, "no commits", "push"},
		"nobody there":     {elsewhere.url(g), good, fault.Unreachable, "refused", ""},
		"no passphrase": {s.url(g), func(o *source.Options) {
			s.login(t, s.client, s.host.PublicKey(), "open sesame")(o)
			o.Auth.SSHPassphraseFile = ""
		}, fault.Blocked, "needs a passphrase", "/key"},
		"key is no key": {s.url(g), func(o *source.Options) { good(o); o.Auth.SSHKeyFile = o.Auth.KnownHostsFile }, fault.Blocked, "no private key", "known_hosts"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := follow(t, c.url, c.set).Resolve(t.Context())
			if name == "no repository" && fault.Of(err) == fault.Rejected {
				return // what the server says about it is up to the server
			}
			wantFault(t, err, c.class, c.text, c.hint)
		})
	}
}

// TestSilentSSHServer: a context is no timeout in go-git's SSH, a killed child is.
func TestSilentSSHServer(t *testing.T) {
	g := newRepo(t)
	head := g.commit("x")
	s := serveSSH(t)
	s.addr = listen(t, func(c net.Conn) {
		defer c.Close()
		_, _ = io.Copy(io.Discard, c)
	})
	set := s.login(t, s.client, s.host.PublicKey(), "")
	r := follow(t, s.url(g), set, func(o *source.Options) { o.Limits.FetchTime = config.Duration(time.Second) })
	begin := time.Now()
	_, err := r.Load(t.Context(), head)
	wantFault(t, err, fault.Unreachable, "longer than 1s", "limits.fetchTime")
	if took := time.Since(begin); took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
}
