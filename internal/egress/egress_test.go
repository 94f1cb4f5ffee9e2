package egress_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"syncd.io/syncd/internal/egress"
)

func TestNoRedirectIsFollowed(t *testing.T) {
	asked := 0
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	client := egress.Client(nil, time.Minute)
	defer client.CloseIdleConnections()
	res, err := client.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusTemporaryRedirect || asked != 0 {
		t.Errorf("it answered %d, and elsewhere was asked %d times", res.StatusCode, asked)
	}
}

func TestAnErrorIsBareOfItsURL(t *testing.T) {
	why := errors.New("connection refused")
	if got := egress.Bare(&url.Error{Op: "Post", URL: "https://chat.example.org/s3cret", Err: why}); got.Error() != "connection refused" {
		t.Errorf("got %v", got)
	}
	if got := egress.Bare(why); got.Error() != "connection refused" {
		t.Errorf("got %v", got)
	}
}

func TestASecretIsOneLineOfAFileOrAVariable(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("EGRESS_TOKEN", " s3cret\n")
	for _, c := range []struct{ file, env, want, trouble string }{
		{file("good", "s3cret\n"), "", "s3cret", ""},
		{file("first", "s3cret"), "EGRESS_TOKEN", "s3cret", ""},
		{"", "EGRESS_TOKEN", "s3cret", ""},
		{"", "EGRESS_NONE", "", "the environment has no EGRESS_NONE"},
		{file("empty", "\n"), "", "", "empty is empty"},
		{file("lines", "s3cret\ns3cret"), "", "", "more than one line"},
		{file("long", strings.Repeat("s", egress.SecretBound+1)), "", "", "is longer than"},
		{filepath.Join(dir, "none"), "", "", "no such file"},
		{dir, "", "", "is no regular file"},
		{pipe, "", "", "is no regular file"},
	} {
		got, err := egress.Secret(c.file, c.env)
		switch {
		case c.trouble == "" && (err != nil || got != c.want):
			t.Errorf("%s%s: %q, %v", c.file, c.env, got, err)
		case c.trouble != "" && (err == nil || !strings.Contains(err.Error(), c.trouble) || strings.Contains(err.Error(), "s3cret")):
			t.Errorf("%s%s: %v, want %q", c.file, c.env, err, c.trouble)
		}
	}
}

func TestAnAuthorityIsACertificate(t *testing.T) {
	if pool, err := egress.Trust(""); pool != nil || err != nil {
		t.Errorf("nobody is named: %v, %v", pool, err)
	}
	if _, err := egress.Trust(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := egress.Authorities([]byte("no certificate")); err == nil {
		t.Error("what is no certificate is believed")
	}
}

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for header, want := range map[string]struct {
		wait time.Duration
		said bool
	}{
		"":                              {0, false},
		"soon":                          {0, false},
		"-1":                            {0, false},
		"0":                             {0, true},
		" 30 ":                          {30 * time.Second, true},
		"9223372036854775807":           {time.Hour, true},
		"Wed, 04 Mar 2026 05:06:37 GMT": {30 * time.Second, true},
		"Wed, 04 Mar 2026 05:06:00 GMT": {0, true},
		"Thu, 05 Mar 2026 05:06:07 GMT": {time.Hour, true},
	} {
		if wait, said := egress.RetryAfter(header, now, time.Hour); wait != want.wait || said != want.said {
			t.Errorf("%q: %s, %t; want %s, %t", header, wait, said, want.wait, want.said)
		}
	}
}
