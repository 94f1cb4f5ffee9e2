package remote

import (
	"net/url"
	"strings"
	"testing"
	"unicode"

	"github.com/go-git/go-git/v5/plumbing/transport"

	"syncd.io/syncd/internal/fault"
)

// FuzzParse: what is accepted has no secret and no control character, starts
// with no dash, and go-git reads it as the same kind of place.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"https://host/x", "http://u:p@host/x", "ssh://git@host:22/x", "git@host:x/y.git", "file:///x", "/x", "../x", "-x", "ext::sh", "https://[::1]:8/x", "a:b", "host:22:path"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		a, err := Parse(raw)
		if err != nil {
			if fault.Of(err) != fault.Rejected || fault.Advice(err) == "" {
				t.Errorf("%q: %v (%v) without hint", raw, err, fault.Of(err))
			}
			return
		}
		if strings.HasPrefix(a.URL, "-") || strings.ContainsFunc(a.URL, unicode.IsControl) {
			t.Errorf("%q gave the URL %q", raw, a.URL)
		}
		if a.Kind == Local {
			return
		}
		checkRemote(t, raw, a)
	})
}

func checkRemote(t *testing.T, raw string, a Address) {
	t.Helper()
	ep, err := transport.NewEndpoint(a.URL)
	if err != nil {
		t.Errorf("%q: go-git does not take %q: %v", raw, a.URL, err)
		return
	}
	if ep.Password != "" || a.Kind == HTTP && ep.User != "" {
		t.Errorf("%q: a secret is left in %q", raw, a.URL)
	}
	if want := map[Kind]string{HTTP: "http", SSH: "ssh"}[a.Kind]; !strings.HasPrefix(ep.Protocol, want) {
		t.Errorf("%q is %s here and %s for go-git", raw, a.Kind, ep.Protocol)
	}
	if u, err := url.Parse(a.URL); err == nil && a.Kind == HTTP && (u.Scheme == "http") != a.Plain {
		t.Errorf("%q: plain is %v", raw, a.Plain)
	}
}

// FuzzRefName: what is accepted is safe as a path and as an argument.
func FuzzRefName(f *testing.F) {
	for _, s := range []string{"main", "feature/x", "v1.2", "--upload-pack=x", "a..b", "refs/heads/../../config", "HEAD", "@", "a.lock", "-x", "refs/heads/-x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		w, err := FromName(name)
		if err != nil {
			if fault.Of(err) != fault.Rejected || fault.Advice(err) == "" {
				t.Errorf("%q: %v (%v) without hint", name, err, fault.Of(err))
			}
			return
		}
		if w.Commit != "" && !ValidCommit(w.Commit) {
			t.Errorf("%q gave the commit %q", name, w.Commit)
		}
		for _, ref := range w.Refs {
			if !strings.HasPrefix(ref, "refs/") || strings.Contains(ref, "..") || strings.Contains(ref, "//") || strings.Contains(ref, "/-") ||
				strings.HasSuffix(ref, "/") || strings.ContainsFunc(ref, unicode.IsControl) || strings.ContainsAny(ref, " \\*?[~^:") {
				t.Errorf("%q gave the ref %q", name, ref)
			}
		}
	})
}
