package source

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpproxy"

	"syncd.io/syncd/internal/egress"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/remote"
)

// maxSecret bounds a credential's file, in bytes: a CA bundle is the largest.
const maxSecret = 4 << 20

// spec reads the credentials anew: they may have been rotated. The error is
// Blocked and names the setting and the file, never what is in it.
func (o *origin) spec(ctx context.Context) (remote.Spec, error) {
	auth := o.auth
	s := remote.Spec{URL: o.addr.URL, Username: cmp.Or(auth.Username, "git")}
	switch o.addr.Kind {
	case remote.HTTP:
		return s, o.httpLogin(&s)
	case remote.SSH:
		return s, o.sshLogin(ctx, &s)
	case remote.Bundle:
		s.URL = o.bundles.store
		return s, o.bundles.ready(ctx)
	}
	return s, nil
}

// credential is one file of a login, and where its content belongs.
type credential struct {
	key, path string
	into      *string
	trim      bool
}

func (o *origin) httpLogin(s *remote.Spec) error {
	auth := o.auth
	err := o.read(
		credential{"passwordFile", auth.PasswordFile, &s.Password, true},
		credential{"caFile", auth.CAFile, &s.CA, false},
		credential{"clientCertFile", auth.ClientCertFile, &s.ClientCert, false},
		credential{"clientKeyFile", auth.ClientKeyFile, &s.ClientKey, false},
	)
	if err != nil {
		return err
	}
	if auth.PasswordEnv != "" {
		word, ok := o.opts.Environ(auth.PasswordEnv)
		if !ok || word == "" {
			err := fmt.Errorf("read %s.passwordEnv: the agent's environment has no variable %s, or it is empty", o.login, auth.PasswordEnv)
			return fault.Hint(fault.As(fault.Blocked, err), "set it where the agent is started, such as Environment= or EnvironmentFile= of its systemd unit")
		}
		s.Password = word
	}
	s.Proxy, err = o.proxy()
	return err
}

func (o *origin) sshLogin(ctx context.Context, s *remote.Spec) error {
	auth := o.auth
	err := o.read(
		credential{"sshKeyFile", auth.SSHKeyFile, &s.SSHKey, false},
		credential{"sshPassphraseFile", auth.SSHPassphraseFile, &s.SSHPassphrase, true},
		credential{"knownHostsFile", auth.KnownHostsFile, &s.KnownHosts, false},
	)
	if err != nil {
		return err
	}
	if auth.SSHAgent {
		socket, ok := o.opts.Environ("SSH_AUTH_SOCK")
		if !ok || socket == "" {
			err := fmt.Errorf("use %s.sshAgent: the agent's environment has no SSH_AUTH_SOCK", o.login)
			return fault.Hint(fault.As(fault.Blocked, err), "start syncd where an ssh-agent is known, or use a key of its own: "+o.login+".sshKeyFile")
		}
		s.SSHAgent = socket
	}
	if auth.KnownHosts == acceptNew {
		return o.introduce(ctx, s)
	}
	return nil
}

// read reads the files that are named.
func (o *origin) read(files ...credential) error {
	for _, f := range files {
		if f.path == "" {
			continue
		}
		text, err := secret(f.path)
		if err != nil {
			err = fmt.Errorf("read %s.%s: %w", o.login, f.key, err)
			return fault.Hint(fault.As(fault.Blocked, err), "check that the file exists, is not empty, and can be read by the agent")
		}
		if f.trim {
			text = strings.TrimRight(text, "\r\n")
		}
		*f.into = text
	}
	return nil
}

func secret(path string) (string, error) {
	data, err := egress.File(path, maxSecret)
	if err == nil && len(data) == 0 {
		err = fmt.Errorf("%s is empty", path)
	}
	return string(data), err
}

// proxy is what the agent's environment says (HTTPS_PROXY, NO_PROXY); the child has
// no environment to look into.
func (o *origin) proxy() (string, error) {
	u, err := url.Parse(o.addr.URL)
	if err != nil {
		return "", fmt.Errorf("read the URL of %s: %w", o.addr.Host, err)
	}
	settings := o.proxies()
	proxy, err := settings.ProxyFunc()(u)
	for _, raw := range []string{settings.HTTPProxy, settings.HTTPSProxy} { // what is no URL would be taken for a host's name
		if _, wrong := url.Parse(raw); wrong != nil && strings.Contains(raw, "://") {
			err = wrong
		}
	}
	if err != nil { // not wrapped: it would quote the proxy's password
		return "", fault.Hint(fault.As(fault.Blocked, fmt.Errorf("the proxy for %s cannot be read", o.addr.Host)), "check HTTPS_PROXY and HTTP_PROXY in the agent's environment")
	}
	if proxy == nil {
		return "", nil
	}
	return proxy.String(), nil
}

// proxies are the settings of the environment, by the names that curl and git know,
// too.
func (o *origin) proxies() *httpproxy.Config {
	first := func(names ...string) string {
		for _, name := range names {
			if value, ok := o.opts.Environ(name); ok && value != "" {
				return value
			}
		}
		return ""
	}
	return &httpproxy.Config{
		HTTPProxy: first("HTTP_PROXY", "http_proxy"), HTTPSProxy: first("HTTPS_PROXY", "https_proxy"), NoProxy: first("NO_PROXY", "no_proxy"),
	}
}

// advise adds to a refused login which file to look at.
func (o *origin) advise(err error) error {
	if fault.Of(err) != fault.Blocked || fault.Advice(err) != "" {
		return err
	}
	auth := o.auth
	switch {
	case o.addr.Kind == remote.SSH:
		return fault.Hint(err, fmt.Sprintf("check that the Git server knows the key in %s and that %s holds the host's key", cmp.Or(auth.SSHKeyFile, "the ssh-agent"), cmp.Or(auth.KnownHostsFile, o.opts.KnownHosts)))
	case auth.PasswordEnv != "":
		return fault.Hint(err, fmt.Sprintf("check the token in the variable %s (%s.passwordEnv) and %s.username: is it expired, may it read this repository?", auth.PasswordEnv, o.login, o.login))
	case auth.PasswordFile == "":
		return fault.Hint(err, "set "+o.login+".username and "+o.login+".passwordFile")
	}
	return fault.Hint(err, fmt.Sprintf("check the token in %s (%s.passwordFile) and %s.username: is it expired, may it read this repository?", auth.PasswordFile, o.login, o.login))
}
