package notify

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/smtp"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// email is a mail server.
type email struct{ web }

// send implements channel: one message for all recipients, in one connection. Its
// Message-ID is the same in every attempt.
func (e *email) send(ctx context.Context, m Message) error {
	s, err := e.read()
	if err != nil {
		return err
	}
	mail, err := e.compose(m)
	if err != nil {
		return fault.As(fault.Rejected, err)
	}
	return e.verdict(ctx, e.hand(ctx, s, mail), s)
}

// hand brings the mail to the server.
func (e *email) hand(ctx context.Context, s secrets, mail []byte) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", e.conf.Server)
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // the end of ctx ends the conversation
	defer stop()
	client, err := e.greet(ctx, conn)
	if err != nil {
		return err
	}
	return e.deliver(client, s, mail)
}

// verdict tells a refusal for good, which a server says with 5xx, from all else.
func (e *email) verdict(ctx context.Context, err error, s secrets) error {
	if err == nil {
		return nil
	}
	said := resource.Harmless(resource.Concealer(s.all()).Replace(err.Error()), refusalBound)
	told := fmt.Errorf("channel %s: %s", e.name, said)
	if forGood(err) && ctx.Err() == nil {
		return fault.Hint(fault.As(fault.Rejected, told), "check notify.channels."+e.name+": its login, sender and recipients")
	}
	return fault.As(fault.Unreachable, told)
}

// greet says hello, over TLS as the settings ask for.
func (e *email) greet(ctx context.Context, conn net.Conn) (*smtp.Client, error) {
	roots, err := e.trust()
	if err != nil {
		return nil, err
	}
	host, _, err := net.SplitHostPort(e.conf.Server)
	if err != nil {
		return nil, err
	}
	secure := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, RootCAs: roots}
	if until, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(until); err != nil {
			return nil, err
		}
	}
	conn = &sparing{Conn: conn, left: answerBound}
	if e.conf.TLS == "tls" {
		conn = tls.Client(conn, secure)
	}
	client, err := smtp.NewClient(conn, host)
	if err != nil {
		return nil, err
	}
	if cmp.Or(e.conf.TLS, "starttls") == "starttls" {
		if err := client.StartTLS(secure); err != nil {
			return nil, fmt.Errorf("STARTTLS: %w", err)
		}
	}
	return client, nil
}

// sparing reads so many bytes of what a server says, and no more: lines and answers are
// as long as it likes.
type sparing struct {
	net.Conn
	left int
}

// Read implements io.Reader.
func (s *sparing) Read(p []byte) (int, error) {
	if s.left <= 0 {
		return 0, fmt.Errorf("it says more than %d bytes", answerBound)
	}
	n, err := s.Conn.Read(p[:min(len(p), s.left)])
	s.left -= n
	return n, err
}

// deliver hands the mail over. What comes after the server took it is no failure; a
// recipient whom the server does not know is one, and the others have it.
func (e *email) deliver(client *smtp.Client, s secrets, mail []byte) error {
	if e.conf.Username != "" {
		if err := client.Auth(e.auth(client, s)); err != nil {
			return fmt.Errorf("log in: %w", err)
		}
	}
	if err := client.Mail(e.conf.From); err != nil {
		return fmt.Errorf("sender: %w", err)
	}
	var unknown error
	accepted := 0
	for _, to := range e.conf.Recipients {
		switch err := client.Rcpt(to); {
		case err == nil:
			accepted++
		case forGood(err):
			unknown = errors.Join(unknown, fmt.Errorf("recipient %s: %w", to, err))
		default:
			return fmt.Errorf("recipient %s: %w", to, err)
		}
	}
	if accepted == 0 {
		return unknown
	}
	if err := write(client, mail); err != nil {
		return err
	}
	_ = client.Quit() // it has the mail
	return unknown
}

// write sends the mail itself.
func write(client *smtp.Client, mail []byte) error {
	w, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(mail); err != nil {
		return err
	}
	return w.Close()
}

// forGood tells whether a server's answer is one that stays.
func forGood(err error) bool {
	var answer *textproto.Error
	return errors.As(err, &answer) && answer.Code/100 == 5
}

// auth is PLAIN, or LOGIN where the server knows no other.
func (e *email) auth(client *smtp.Client, s secrets) smtp.Auth {
	host, _, _ := net.SplitHostPort(e.conf.Server)
	_, mechanisms := client.Extension("AUTH")
	if words := strings.Fields(strings.ToUpper(mechanisms)); !slices.Contains(words, "PLAIN") && slices.Contains(words, "LOGIN") {
		return &login{e.conf.Username, s.password}
	}
	return smtp.PlainAuth("", e.conf.Username, s.password, host)
}

// login is the mechanism LOGIN: the server asks for the name, then for the password.
type login struct{ username, password string }

// Start implements smtp.Auth.
func (l *login) Start(server *smtp.ServerInfo) (string, []byte, error) {
	if !server.TLS {
		return "", nil, errors.New("a password is not sent without TLS")
	}
	return "LOGIN", nil, nil
}

// Next implements smtp.Auth.
func (l *login) Next(asked []byte, more bool) ([]byte, error) {
	switch {
	case !more:
		return nil, nil
	case strings.HasPrefix(strings.ToLower(string(asked)), "user"):
		return []byte(l.username), nil
	default:
		return []byte(l.password), nil
	}
}

// compose writes the mail: plain text in UTF-8.
func (e *email) compose(m Message) ([]byte, error) {
	var out bytes.Buffer
	_, domain, _ := strings.Cut(e.conf.From, "@")
	for _, line := range [][2]string{
		{"From", "syncd <" + e.conf.From + ">"}, {"To", strings.Join(e.conf.Recipients, ",\r\n ")},
		{"Subject", mime.QEncoding.Encode("utf-8", bound(m.Title, 200))}, {"Date", m.At.Format(time.RFC1123Z)},
		{"Message-ID", "<" + m.Key + "@" + domain + ">"}, {"Auto-Submitted", "auto-generated"}, {"X-Syncd-Event", m.Event},
		{"MIME-Version", "1.0"}, {"Content-Type", "text/plain; charset=utf-8"}, {"Content-Transfer-Encoding", "quoted-printable"},
	} {
		fmt.Fprintf(&out, "%s: %s\r\n", line[0], line[1])
	}
	out.WriteString("\r\n")
	text := quotedprintable.NewWriter(&out)
	if _, err := text.Write([]byte(strings.ReplaceAll(m.Text, "\n", "\r\n") + "\r\n")); err != nil {
		return nil, err
	}
	return out.Bytes(), text.Close()
}
