package source

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/remote"
)

// maxSecret bounds a credential's file, in bytes: a CA bundle is the largest.
const maxSecret = 4 << 20

// spec reads the credentials anew: they may have been rotated. The error is
// Blocked and names the setting and the file, never what is in it.
func (r *Repository) spec() (remote.Spec, error) {
	auth := r.opts.Auth
	s := remote.Spec{URL: r.addr.URL, Username: cmp.Or(auth.Username, "git")}
	if r.addr.Kind == remote.Local {
		return s, nil
	}
	if r.bundles != nil {
		s.URL = r.bundles.store
		return s, nil
	}
	for _, f := range []struct {
		key, path string
		into      *string
		trim      bool
	}{
		{"passwordFile", auth.PasswordFile, &s.Password, true},
		{"sshKeyFile", auth.SSHKeyFile, &s.SSHKey, false},
		{"sshPassphraseFile", auth.SSHPassphraseFile, &s.SSHPassphrase, true},
		{"knownHostsFile", auth.KnownHostsFile, &s.KnownHosts, false},
		{"caFile", auth.CAFile, &s.CA, false},
	} {
		if f.path == "" {
			continue
		}
		text, err := secret(f.path)
		if err != nil {
			return s, fault.Hint(fault.As(fault.Blocked, fmt.Errorf("read repo.auth.%s: %w", f.key, err)), "check that the file exists, is not empty, and can be read by the agent")
		}
		if f.trim {
			text = strings.TrimRight(text, "\r\n")
		}
		*f.into = text
	}
	proxy, err := proxyFor(r.addr)
	s.Proxy = proxy
	return s, err
}

func secret(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || info.Size() == 0 || info.Size() > maxSecret {
		return "", fmt.Errorf("%s is empty, too large, or no regular file", path)
	}
	data, err := os.ReadFile(path)
	return string(data), err
}

// proxyFor is what the agent's environment says (HTTPS_PROXY, NO_PROXY); the
// child has no environment to look into.
func proxyFor(addr remote.Address) (string, error) {
	if addr.Kind != remote.HTTP {
		return "", nil
	}
	u, err := url.Parse(addr.URL)
	if err != nil {
		return "", fmt.Errorf("read repo.url: %w", err)
	}
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u})
	if err != nil { // not wrapped: it would quote the proxy's password
		return "", fault.Hint(fault.As(fault.Blocked, fmt.Errorf("the proxy for %s cannot be read", addr.Host)), "check HTTPS_PROXY and HTTP_PROXY in the agent's environment")
	}
	if proxy == nil {
		return "", nil
	}
	return proxy.String(), nil
}

// advise adds to a refused login which file to look at.
func (r *Repository) advise(err error) error {
	if fault.Of(err) != fault.Blocked || fault.Advice(err) != "" {
		return err
	}
	auth := r.opts.Auth
	switch {
	case r.addr.Kind == remote.SSH:
		return fault.Hint(err, fmt.Sprintf("check that the Git server knows the key in %s and that %s holds the host's key", auth.SSHKeyFile, auth.KnownHostsFile))
	case auth.PasswordFile == "":
		return fault.Hint(err, "set repo.auth.username and repo.auth.passwordFile")
	}
	return fault.Hint(err, fmt.Sprintf("check the token in %s (repo.auth.passwordFile) and repo.auth.username: is it expired, may it read this repository?", auth.PasswordFile))
}
