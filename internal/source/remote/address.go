// Package remote knows where a repository is and what its refs are called: it
// checks addresses and names before any I/O, connects over HTTP(S), and reads
// local repositories in place. Agent and child share it.
package remote

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"syncd.io/syncd/internal/fault"
)

// Kind is the way to a repository.
type Kind string

// The kinds. HTTP covers https too.
const (
	HTTP  Kind = "http"
	SSH   Kind = "ssh"
	Local Kind = "local"
	// Bundle is a Git bundle on this machine, or a directory of them.
	Bundle Kind = "bundle"
)

// Address is a checked repository URL without secrets in it.
type Address struct {
	Kind Kind
	// URL is the address as go-git takes it; it can be shown.
	URL string
	// Host is host or host:port; empty for Local.
	Host string
	// Path is the absolute directory of a Local repository, or the absolute path of
	// what a Bundle is.
	Path string
	// Plain is true for unencrypted http.
	Plain bool
}

var (
	helper  = regexp.MustCompile(`^[A-Za-z0-9+.-]*::`)
	scpLike = regexp.MustCompile(`^(?:([^@:/\s]+)@)?([^@:/\s]+):([^\\\s].*)$`)
)

const urlHint = "repo.url is https://host/path, ssh://user@host/path, user@host:path, file:///path, bundle:///path or a directory"

// Parse checks a repository's URL, without I/O. The error is Rejected, has a
// hint, and never quotes the URL: it may hold a password.
func Parse(raw string) (Address, error) { return ParseAs("repo.url", raw) }

// ParseAs is Parse for a URL that stands under another setting, which errors name.
func ParseAs(setting, raw string) (Address, error) {
	addr, err := parse(raw)
	if err != nil {
		return Address{}, fmt.Errorf("%s: %w", setting, err)
	}
	return addr, nil
}

func parse(raw string) (Address, error) {
	if err := characters(raw); err != nil {
		return Address{}, refuse(err, urlHint)
	}
	if strings.Contains(raw, "://") {
		return parseURL(raw)
	}
	if m := scpLike.FindStringSubmatch(raw); m != nil {
		return parseSCP(raw, m[1], m[2], m[3])
	}
	return local(raw)
}

func refuse(err error, hint string) error {
	return fault.Hint(fault.As(fault.Rejected, err), hint)
}

func characters(raw string) error {
	switch {
	case raw == "":
		return errors.New("it is empty")
	case len(raw) > 4096:
		return errors.New("it is longer than 4096 bytes")
	case strings.HasPrefix(raw, "-"):
		return errors.New("it begins with a dash")
	case !utf8.ValidString(raw) || strings.ContainsFunc(raw, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }):
		return errors.New("it has control characters or is not UTF-8")
	case helper.MatchString(raw):
		return errors.New("remote helpers (ext::, fd::) are not supported")
	}
	return nil
}

func parseURL(raw string) (Address, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return Address{}, refuse(errors.New("it is not a URL"), urlHint)
	}
	if u.RawQuery != "" || u.Fragment != "" || u.ForceQuery {
		return Address{}, refuse(errors.New("it has a query or a fragment"), urlHint)
	}
	switch u.Scheme {
	case "https", "http":
		return parseHTTP(u)
	case "ssh":
		return parseSSH(u)
	case "file":
		if u.Host != "" && u.Host != "localhost" || u.User != nil {
			return Address{}, refuse(errors.New("a file URL names a path on this machine"), urlHint)
		}
		return local(u.Path)
	case "bundle":
		return bundled(u)
	}
	return Address{}, refuse(fmt.Errorf("the scheme %q is not supported", u.Scheme), urlHint)
}

func parseHTTP(u *url.URL) (Address, error) {
	if u.User != nil {
		return Address{}, refuse(errors.New("it holds a user name, password or token"), "take it out of the URL, and set repo.auth.username and repo.auth.passwordFile")
	}
	if err := place(u); err != nil {
		return Address{}, err
	}
	return Address{Kind: HTTP, URL: u.String(), Host: u.Host, Plain: u.Scheme == "http"}, nil
}

func parseSSH(u *url.URL) (Address, error) {
	if _, has := u.User.Password(); has {
		return Address{}, refuse(errors.New("it holds a password"), "use a key: repo.auth.sshKeyFile")
	}
	if strings.HasPrefix(u.User.Username(), "-") {
		return Address{}, refuse(errors.New("its user name begins with a dash"), urlHint)
	}
	if err := place(u); err != nil {
		return Address{}, err
	}
	return Address{Kind: SSH, URL: u.String(), Host: u.Host}, nil
}

func place(u *url.URL) error {
	if u.Hostname() == "" || strings.HasPrefix(u.Hostname(), "-") {
		return refuse(errors.New("it names no host"), urlHint)
	}
	if strings.Trim(u.Path, "/") == "" {
		return refuse(errors.New("it names no repository on the host"), urlHint)
	}
	return nil
}

func parseSCP(raw, user, host, path string) (Address, error) {
	for _, part := range []string{user, host, path} {
		if strings.HasPrefix(part, "-") {
			return Address{}, refuse(errors.New("its user, host or path begins with a dash"), urlHint)
		}
	}
	return Address{Kind: SSH, URL: raw, Host: host}, nil
}

func bundled(u *url.URL) (Address, error) {
	if u.Host != "" || u.User != nil || !filepath.IsAbs(u.Path) || filepath.Clean(u.Path) == "/" {
		return Address{}, refuse(errors.New("a bundle URL names an absolute path on this machine"), "write it with three slashes, as in bundle:///srv/incoming: a file that git bundle create made, or a directory of such files whose names end with .bundle")
	}
	path := filepath.Clean(u.Path)
	return Address{Kind: Bundle, URL: "bundle://" + path, Path: path}, nil
}

func local(path string) (Address, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return Address{}, err
	}
	return Address{Kind: Local, URL: abs, Path: abs}, nil
}
