package remote

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/transport"

	"syncd.io/syncd/internal/fault"
)

func TestClassify(t *testing.T) {
	for name, c := range map[string]struct {
		err        error
		class      fault.Class
		text, hint string
	}{
		"empty":             {transport.ErrEmptyRemoteRepository, fault.Rejected, "no commits", "push"},
		"login":             {transport.ErrAuthenticationRequired, fault.Blocked, "wants a login", ""},
		"no access":         {transport.ErrAuthorizationFailed, fault.Blocked, "refused access", ""},
		"no repository":     {transport.ErrRepositoryNotFound, fault.Rejected, "no such repository", "repo.auth"},
		"redirect":          {fmt.Errorf("get: %w", errRedirect), fault.Unreachable, "redirect refused", "set repo.url"},
		"redirect, go-git":  {errors.New("http redirect: target scheme x"), fault.Unreachable, "redirect", "set repo.url"},
		"too many refs":     {fmt.Errorf("read: %w", errAdvertised), fault.Rejected, "too many refs", "repository of its own"},
		"certificate":       {&url.Error{Op: "Get", URL: "https://h", Err: x509.UnknownAuthorityError{}}, fault.Unreachable, "unknown authority", "repo.auth.caFile"},
		"the server's word": {&pktline.ErrorLine{Text: "access \x1b[31mdenied\nby the owner"}, fault.Unreachable, "the Git server says: access", ""},
		"late":              {fmt.Errorf("read: %w", context.DeadlineExceeded), fault.Unreachable, "did not answer in time", ""},
		"late, by the net":  {&url.Error{Op: "Get", URL: "https://h", Err: os.ErrDeadlineExceeded}, fault.Unreachable, "did not answer in time", ""},
		"cut":               {fmt.Errorf("read: %w", io.ErrUnexpectedEOF), fault.Unreachable, "ended too early", ""},
		"anything else":     {errors.New("no \x1b[2J route"), fault.Unreachable, "no", ""},
	} {
		got := Classify(fmt.Errorf("resolve: %w", c.err))
		if fault.Of(got) != c.class || !strings.Contains(got.Error(), c.text) || !strings.Contains(fault.Advice(got), c.hint) {
			t.Errorf("%s: %v (%v), hint %q; want %v, %q, hint %q", name, got, fault.Of(got), fault.Advice(got), c.class, c.text, c.hint)
		}
		if strings.ContainsAny(got.Error(), "\x1b\n") {
			t.Errorf("%s: the text can harm a terminal: %q", name, got)
		}
	}
	long := Classify(&pktline.ErrorLine{Text: strings.Repeat("no ", 10_000)})
	if len(long.Error()) > 2*errText {
		t.Errorf("the server's text has %d bytes", len(long.Error()))
	}
}

func TestClassifyLeavesWhatIsKnown(t *testing.T) {
	rejected := fault.As(fault.Rejected, io.EOF)
	for _, err := range []error{nil, rejected, fmt.Errorf("fetch: %w", context.Canceled)} {
		if got := Classify(err); !errors.Is(got, err) || fault.Of(got) != fault.Of(err) {
			t.Errorf("%v became %v (%v)", err, got, fault.Of(got))
		}
	}
}

func TestRedirectsStayOnTheirHostAndEncrypted(t *testing.T) {
	for name, c := range map[string]struct {
		hops []string
		ok   bool
	}{
		"another path":           {[]string{"https://h/old", "https://h/new"}, true},
		"http to https":          {[]string{"http://h/x", "https://h/x"}, true},
		"https to http":          {[]string{"https://h/x", "http://h/x"}, false},
		"https to file":          {[]string{"https://h/x", "file://h/etc/passwd"}, false},
		"another host":           {[]string{"https://h/x", "https://evil/x"}, false},
		"a host below":           {[]string{"https://h/x", "https://h.evil/x"}, false},
		"another port":           {[]string{"https://h/x", "https://h:8443/x"}, false},
		"three in a row":         {[]string{"https://h/1", "https://h/2", "https://h/3", "https://h/4"}, true},
		"four in a row":          {[]string{"https://h/1", "https://h/2", "https://h/3", "https://h/4", "https://h/5"}, false},
		"down by the second hop": {[]string{"https://h/1", "https://h/2", "http://h/3"}, false},
	} {
		var requests []*http.Request
		for _, hop := range c.hops {
			u, err := url.Parse(hop)
			if err != nil {
				t.Fatal(err)
			}
			requests = append(requests, &http.Request{URL: u})
		}
		last := len(requests) - 1
		err := stay(requests[last], requests[:last])
		if (err == nil) != c.ok || err != nil && !errors.Is(err, errRedirect) {
			t.Errorf("%s: %v, want it followed: %t", name, err, c.ok)
		}
	}
}

func TestClientsThatCannotBeMade(t *testing.T) {
	for name, c := range map[string]struct {
		spec       Spec
		text, hint string
	}{
		"a CA that is none":  {Spec{CA: "-----BEGIN NOTHING-----"}, "holds no certificate", "repo.auth.caFile"},
		"a proxy that is no": {Spec{Proxy: "http://joe:hunter2@[::1:3128"}, "proxy's URL cannot be read", ""},
	} {
		_, err := NewClient(c.spec, 1<<20)
		if fault.Of(err) != fault.Blocked || !strings.Contains(err.Error(), c.text) || !strings.Contains(fault.Advice(err), c.hint) {
			t.Errorf("%s: %v (%v), hint %q", name, err, fault.Of(err), fault.Advice(err))
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the password is in the error: %v", name, err)
		}
	}
	client, err := NewClient(Spec{Proxy: "http://joe:hunter2@proxy:3128"}, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	through, err := client.base.Proxy(&http.Request{URL: &url.URL{Scheme: "https", Host: "git.example.org"}})
	if err != nil || through == nil || through.Host != "proxy:3128" {
		t.Errorf("it goes through %v, %v", through, err)
	}
}

// A spec is never printed, however somebody tries to.
func TestASpecShowsNoSecret(t *testing.T) {
	spec := Spec{URL: "https://git.example.org/x.git", Password: "hunter2", SSHKey: "hunter2", SSHPassphrase: "hunter2", Proxy: "http://joe:hunter2@proxy"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if text := fmt.Sprintf(verb, spec); strings.Contains(text, "hunter2") || !strings.Contains(text, "git.example.org") {
			t.Errorf("%s prints %s", verb, text)
		}
		if text := fmt.Sprintf(verb, struct{ S Spec }{spec}); strings.Contains(text, "hunter2") {
			t.Errorf("in a struct, %s prints %s", verb, text)
		}
	}
}
