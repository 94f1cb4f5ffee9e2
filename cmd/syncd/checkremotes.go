package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/sandbox"
)

// checkRemotes asks repo.url and each mirror for the followed ref. A refused login is
// a finding about the credentials.
func checkRemotes(ctx context.Context, host config.Host, child sandbox.Child) (remotes []finding, credentials finding) {
	credentials = checkFiles(host.Repo)
	for i, one := range places(host) {
		name, setting := "repository", "repo.url"
		if i > 0 {
			name, setting = "mirror", "repo.mirrors"
		}
		found, err := checkRemote(ctx, name, one, child)
		switch {
		case err != nil && fault.Of(err) == fault.Blocked && one.Repo.URL != "":
			found.Detail = "it cannot be asked: see the credentials"
			credentials = failing("credentials", err, "check repo.auth")
		case err != nil:
			found = failing(name, err, "check "+setting+" and the network")
		}
		remotes = append(remotes, found)
	}
	return remotes, credentials
}

// places are the host's settings with each of its remotes alone.
func places(host config.Host) []config.Host {
	mirrors := host.Repo.Mirrors
	host.Repo.Mirrors = nil
	all := []config.Host{host}
	for _, m := range mirrors {
		one := host
		one.Repo.URL = m.URL
		if m.Auth != nil {
			one.Repo.Auth = *m.Auth
		}
		all = append(all, one)
	}
	return all
}

func checkRemote(ctx context.Context, name string, host config.Host, child sandbox.Child) (f finding, err error) {
	f.Check = name
	if _, missing := os.Stat(filepath.Join(host.State, knownHostsFile)); missing != nil {
		// nobody that is met here is trusted from now on: a check changes nothing
		if host.State, err = os.MkdirTemp("", "syncd-check-"); err != nil {
			return f, fmt.Errorf("make a directory for the check: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(host.State)) }()
	}
	var open closers
	repo, err := wiring{}.openSource(host, child, nil, &open)
	if err != nil {
		return f, err
	}
	commit, err := repo.Resolve(ctx)
	if err := errors.Join(err, open.close()); err != nil {
		return f, err
	}
	f.OK, f.Detail = true, fmt.Sprintf("%s is at %.10s", shown(host.Repo.URL), commit)
	return f, nil
}

// checkFiles finds credentials that others on this host can read.
func checkFiles(repo config.Repo) finding {
	f := finding{Check: "credentials", OK: true, Detail: "none are needed"}
	for _, path := range secretFiles(repo) {
		if path == "" {
			continue
		}
		f.Detail = "they can be read"
		info, err := os.Stat(path)
		if err != nil {
			return failing(f.Check, err, "create the file, or change repo.auth")
		}
		if info.Mode().Perm()&0o007 != 0 {
			return failing(f.Check, fmt.Errorf("%s can be read by everybody on this host", path), "chmod 600 "+path)
		}
	}
	return f
}

// secretFiles are those of the repository and of its mirrors.
func secretFiles(repo config.Repo) []string {
	logins := []config.Auth{repo.Auth}
	for _, m := range repo.Mirrors {
		if m.Auth != nil {
			logins = append(logins, *m.Auth)
		}
	}
	var out []string
	for _, auth := range logins {
		out = append(out, auth.PasswordFile, auth.SSHKeyFile, auth.SSHPassphraseFile, auth.ClientKeyFile)
	}
	return out
}
