package config

import (
	"maps"

	"syncd.io/syncd/internal/resource"
)

// checkRepo checks what concerns several fields of repo at once.
func (d *decoder) checkRepo(repo Repo) {
	if d.lines["repo.url"] == 0 {
		d.add(d.lines["repo"], "add repo: {url: ...}, the Git repository that this host follows", "repo.url is missing")
	}
	if resource.SecretValue(repo.URL) {
		d.add(d.lines["repo.url"], "put the password into a file and name it in repo.auth.passwordFile", "repo.url holds a password")
	}
	given := map[string]string{"branch": repo.Ref.Branch, "tag": repo.Ref.Tag, "semver": repo.Ref.Semver, "commit": repo.Ref.Commit}
	maps.DeleteFunc(given, func(_, value string) bool { return value == "" })
	if len(given) > 1 {
		d.add(d.lines["repo.ref"], "keep one of them", "repo.ref has %d of branch, tag, semver and commit: want at most one", len(given))
	}
	if repo.MaxInterval != 0 && repo.MaxInterval < repo.Interval {
		d.add(d.lines["repo.maxInterval"], "the same as repo.interval is the least: then polls never become rarer", "repo.maxInterval is less than repo.interval")
	}
	d.checkAuth(repo.Auth, "repo.auth", 0)
	d.checkMirrors(repo.Mirrors)
}

// checkMirrors checks each mirror as a whole.
func (d *decoder) checkMirrors(mirrors []Mirror) {
	for i, m := range mirrors {
		at := nth("repo.mirrors", i)
		line := d.lines[at]
		if m.URL == "" && len(d.problems.list) == 0 {
			d.add(line, "write its URL", "%s.url is missing", at)
		}
		if resource.SecretValue(m.URL) {
			d.add(line, "put the password into a file and name it in the mirror's auth.passwordFile", "%s.url holds a password", at)
		}
		if m.Auth != nil {
			d.checkAuth(*m.Auth, at+".auth", line)
		}
	}
}

// checkAuth finds credentials that could never be used. key is where they stand,
// line the one to name; 0 is that of the key itself.
func (d *decoder) checkAuth(auth Auth, key string, line int) {
	problem := func(field, hint, text string) {
		at := line
		if at == 0 {
			at = d.lines[key+"."+field]
		}
		d.add(at, hint, "%s.%s %s", key, field, text)
	}
	password := auth.PasswordFile != "" || auth.PasswordEnv != ""
	switch {
	case auth.SSHPassphraseFile != "" && auth.SSHKeyFile == "":
		problem("sshPassphraseFile", "add "+key+".sshKeyFile", "is of no use without a key")
	case auth.PasswordFile != "" && auth.PasswordEnv != "":
		problem("passwordEnv", "keep one of them", "and "+key+".passwordFile are both given")
	case auth.ClientCertFile != "" && auth.ClientKeyFile == "":
		problem("clientCertFile", "add "+key+".clientKeyFile", "is of no use without its key")
	case auth.ClientKeyFile != "" && auth.ClientCertFile == "":
		problem("clientKeyFile", "add "+key+".clientCertFile", "is of no use without its certificate")
	case auth.AllowHTTP && password:
		problem("allowHTTP", "use https", "is for repositories without credentials: a password would cross the network in the clear")
	}
}
