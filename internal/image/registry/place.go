// Package registry asks one registry, or a mirror of one, for images, and gives
// images to one. It is the only room, besides that of charts, that speaks to
// registries.
package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"syncd.io/syncd/internal/egress"
	"syncd.io/syncd/internal/fault"
)

// hub is where docker.io serves images.
const hub = "registry-1.docker.io"

// maxSecret bounds a file that holds a password, in bytes.
const maxSecret = 64 << 10

// Login is how somebody is known to a registry. The zero value is nobody.
type Login struct {
	Username, Password string
	// Identity and Token are what `docker login` gets from some registries instead:
	// one to fetch tokens with, and one to send as it is.
	Identity, Token string
}

// Place is one address that images are asked for.
type Place struct {
	// URL is https://HOST[:PORT] or http://HOST[:PORT], with /v2/PREFIX where all
	// repositories are below a prefix.
	URL string
	// Serves is the registry that the place is a mirror of; empty for its own.
	Serves string
	// CAFile, CertFile and KeyFile are read anew by each Dial; empty is none.
	CAFile, CertFile, KeyFile string
	// SkipVerify trusts whoever answers.
	SkipVerify bool
	// Login returns how to log in there; nil is nobody. It is asked by each Dial.
	Login func(ctx context.Context, host string) (Login, error)
}

// Repo is one repository at a place, with a connection that is logged in.
type Repo struct {
	place  Place
	scheme string
	name   name.Repository
	http   *http.Client
	base   *http.Transport
}

// Dial prepares to ask a place for a repository: it reads the login and the
// certificates, and greets the registry. push is for one that is to be written.
// Errors: Unreachable, Blocked where the login or a certificate is at fault.
func Dial(ctx context.Context, p Place, repository string, push bool) (*Repo, error) {
	at, prefix, err := p.split()
	if err != nil {
		return nil, err
	}
	var options []name.Option
	if at.Scheme == "http" {
		options = append(options, name.Insecure)
	}
	reg, err := name.NewRegistry(at.Host, append(options, name.StrictValidation)...)
	if err != nil {
		return nil, fault.As(fault.Blocked, fmt.Errorf("registry %s: %w", at.Host, err))
	}
	repo := reg.Repo(strings.Split(prefix+repository, "/")...)
	base, err := p.transport()
	if err != nil {
		return nil, err
	}
	who, err := p.who(ctx, at.Host)
	if err != nil {
		return nil, err
	}
	scope := repo.Scope(transport.PullScope)
	if push {
		scope = repo.Scope(transport.PushScope)
	}
	r := &Repo{place: p, scheme: at.Scheme, name: repo, base: base}
	logged, err := transport.NewWithContext(ctx, reg, who, careful{base: base, scheme: at.Scheme, host: at.Host, serves: p.Serves}, []string{scope})
	if err != nil {
		r.Close()
		return nil, r.classify(ctx, err)
	}
	r.http = &http.Client{Transport: logged}
	return r, nil
}

// Close ends idle connections.
func (r *Repo) Close() { r.base.CloseIdleConnections() }

// split returns the address and the prefix of all repositories, with a slash.
func (p Place) split() (*url.URL, string, error) {
	at, err := url.Parse(p.URL)
	if err != nil || at.Host == "" || at.User != nil || at.Scheme != "https" && at.Scheme != "http" {
		return nil, "", fault.As(fault.Blocked, errors.New("the registry's address is not https://HOST or http://HOST"))
	}
	path := strings.Trim(at.Path, "/")
	prefix, below := strings.CutPrefix(path+"/", "v2/")
	if path != "" && !below {
		return nil, "", fault.As(fault.Blocked, fmt.Errorf("the path /%s of the registry's address is not /v2/PREFIX", path))
	}
	if prefix == "/" {
		prefix = ""
	}
	if at.Host == "docker.io" || at.Host == "index.docker.io" {
		at.Host = hub
	}
	return at, prefix, nil
}

// transport has the certificates of the place, as they are now.
func (p Place) transport() (*http.Transport, error) {
	t := newTransport()
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: p.SkipVerify} //nolint:gosec // by explicit choice
	t.TLSClientConfig = cfg
	if p.CAFile != "" {
		pool, err := egress.Trust(p.CAFile)
		if err != nil {
			return nil, fault.Hint(fault.As(fault.Blocked, fmt.Errorf("read the authority of the registry: %w", err)), "check tls.caFile of the registry")
		}
		cfg.RootCAs = pool
	}
	if p.CertFile != "" {
		cert, err := tls.LoadX509KeyPair(p.CertFile, p.KeyFile)
		if err != nil { // it names no content
			return nil, fault.Hint(fault.As(fault.Blocked, fmt.Errorf("read the client certificate: %w", err)), "check tls.certFile and tls.keyFile of the registry")
		}
		cfg.Certificates = []tls.Certificate{cert}
	}
	return t, nil
}

// who is what is sent to log in.
func (p Place) who(ctx context.Context, host string) (authn.Authenticator, error) {
	if p.Login == nil {
		return authn.Anonymous, nil
	}
	l, err := p.Login(ctx, host)
	if err != nil {
		return nil, err
	}
	if l == (Login{}) {
		return authn.Anonymous, nil
	}
	return authn.FromConfig(authn.AuthConfig{Username: l.Username, Password: l.Password, IdentityToken: l.Identity, RegistryToken: l.Token}), nil
}

// ReadPassword returns the content of a file, without the line break at its end.
// Errors: Blocked, without the content.
func ReadPassword(path string) (string, error) {
	raw, err := egress.File(path, maxSecret)
	if err != nil {
		return "", fault.Hint(fault.As(fault.Blocked, fmt.Errorf("read a file of the registry's settings: %w", err)), "let the user that syncd runs as read it")
	}
	return strings.TrimRight(string(raw), "\r\n"), nil
}

// Host is what the place is called in messages: its address without anything
// secret.
func (p Place) Host() string {
	at, err := url.Parse(p.URL)
	if err != nil || at.Host == "" {
		return "the registry"
	}
	return at.Scheme + "://" + at.Host
}
