package notify

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
)

// mailbox is a mail server's memory.
type mailbox struct {
	mu    sync.Mutex
	mails []string
	to    []string
	login bool // what is wanted of a sender
	full  bool
}

// NewSession implements smtp.Backend.
func (b *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{box: b}, nil }

type session struct {
	box *mailbox
	in  bool
	to  []string
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if username != "syncd" || password != "s3cret" {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.NoEnhancedCode, Message: "not with " + password}
		}
		s.in = true
		return nil
	}), nil
}

func (s *session) Mail(string, *smtp.MailOptions) error {
	if s.box.login && !s.in {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	switch {
	case strings.HasPrefix(to, "nobody@"):
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.NoEnhancedCode, Message: "no such user"}
	case s.box.full:
		return &smtp.SMTPError{Code: 452, EnhancedCode: smtp.NoEnhancedCode, Message: "the disk is full"}
	}
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	s.box.mails, s.box.to = append(s.box.mails, string(data)), s.to
	return err
}

func (s *session) Reset()        { s.to = nil }
func (s *session) Logout() error { return nil }

// certificate makes one for 127.0.0.1 and returns where it is, as its own authority.
func certificate(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail"}, NotAfter: time.Now().Add(24 * time.Hour), NotBefore: time.Now().Add(-time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, path
}

// mailServer runs a mail server: one that offers STARTTLS, one that speaks TLS from the
// first byte, or one that knows none.
func mailServer(t *testing.T, box *mailbox, kind string) (address, ca string) {
	t.Helper()
	cert, ca := certificate(t)
	s := smtp.NewServer(box)
	s.Domain, s.ErrorLog = "mail.example.org", log.New(io.Discard, "", 0)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	conf := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	switch kind {
	case "starttls":
		s.TLSConfig = conf
	case "tls":
		l = tls.NewListener(l, conf)
	}
	done := make(chan struct{})
	go func() { _ = s.Serve(l); close(done) }() // it ends with Close
	t.Cleanup(func() { _ = s.Close(); <-done }) // as above
	return address, ca
}

func TestMailIsSentOverTLS(t *testing.T) {
	m := message()
	for _, kind := range []string{"starttls", "tls"} {
		t.Run(kind, func(t *testing.T) {
			box := &mailbox{login: true}
			address, ca := mailServer(t, box, kind)
			conf := config.Channel{Type: "email", Server: address, TLS: kind, CAFile: ca, Username: "syncd", PasswordFile: secretFile(t, "s3cret"), From: "syncd@example.org", Recipients: []string{"ops@example.org", "dev@example.org"}}
			if err := sendTo(t, conf, m); err != nil {
				t.Fatal(err)
			}
			if len(box.mails) != 1 || strings.Join(box.to, " ") != "ops@example.org dev@example.org" {
				t.Fatalf("%d mails, to %v", len(box.mails), box.to)
			}
			read, err := mail.ReadMessage(strings.NewReader(box.mails[0]))
			if err != nil {
				t.Fatal(err)
			}
			subject, err := new(mime.WordDecoder).DecodeHeader(read.Header.Get("Subject"))
			if err != nil || subject != m.Title {
				t.Errorf("the subject is %q (%v)", subject, err)
			}
			if id := read.Header.Get("Message-ID"); id != "<"+m.Key+"@example.org>" || read.Header.Get("Auto-Submitted") != "auto-generated" {
				t.Errorf("the header is %v", read.Header)
			}
			if at, err := read.Header.Date(); err != nil || !at.Equal(m.At) {
				t.Errorf("it is of %v (%v)", at, err)
			}
			text, err := io.ReadAll(quotedprintable.NewReader(read.Body))
			if err != nil || strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n")) != m.Text {
				t.Errorf("it says %s (%v)", text, err)
			}
			conf.CAFile = ""
			if err := sendTo(t, conf, m); fault.Of(err) != fault.Unreachable || len(box.mails) != 1 {
				t.Errorf("a server that nobody vouches for: %v", err)
			}
		})
	}
}

func TestMailServersAreHeard(t *testing.T) {
	box := &mailbox{login: true}
	address, ca := mailServer(t, box, "starttls")
	plain, _ := mailServer(t, &mailbox{}, "none")
	base := config.Channel{Type: "email", Server: address, CAFile: ca, Username: "syncd", PasswordFile: secretFile(t, "s3cret"), From: "syncd@example.org", Recipients: []string{"ops@example.org"}}
	for name, c := range map[string]struct {
		change func(*config.Channel)
		class  fault.Class
		says   string
	}{
		"a wrong password": {func(c *config.Channel) { c.PasswordFile = secretFile(t, "wr0ng") }, fault.Rejected, "log in: 535"},
		"nobody there":     {func(c *config.Channel) { c.Recipients = []string{"nobody@example.org"} }, fault.Rejected, "recipient nobody@example.org: 550 "},
		"one is there":     {func(c *config.Channel) { c.Recipients = []string{"nobody@example.org", "ops@example.org"} }, fault.Rejected, "recipient nobody@example.org: 550 "},
		"no STARTTLS":      {func(c *config.Channel) { c.Server = plain }, fault.Rejected, "STARTTLS"},
		"no server":        {func(c *config.Channel) { c.Server = "127.0.0.1:1" }, fault.Unreachable, "refused"},
	} {
		conf := base
		c.change(&conf)
		err := sendTo(t, conf, message())
		if fault.Of(err) != c.class || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "wr0ng") {
			t.Errorf("%s: %v (%v), want %q", name, err, fault.Of(err), c.says)
		}
	}
	if len(box.mails) != 1 || box.to[0] != "ops@example.org" {
		t.Errorf("%d mails, to %v", len(box.mails), box.to)
	}
	box.full = true
	if err := sendTo(t, base, message()); fault.Of(err) != fault.Unreachable || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("a full disk: %v", err)
	}
}

// A server that accepts and says nothing costs the time of one attempt.
func TestAMailServerThatHangsIsLeft(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := sendShort(t, config.Channel{Type: "email", Server: l.Addr().String(), From: "a@b.c", Recipients: []string{"d@e.f"}}); fault.Of(err) != fault.Unreachable {
		t.Errorf("the error is %v", err)
	}
}
