package config

import (
	"slices"
	"strings"
)

// repoKeys are those of repo, in the order of its types.
func repoKeys() []keyDoc {
	return slices.Concat([]keyDoc{
		{"repo", "", "The Git repository that this host follows. Required."},
		{"repo.url", "", "Its address: https, ssh, `user@host:path`, a path on this host, or `bundle:///PATH`: a Git bundle, or a directory of them. Required. A password in it is an error."},
		{"repo.ref", "the remote's HEAD", "What to follow: at most one of `branch`, `tag`, `semver` and `commit`."},
		{"repo.ref.branch", "none", "A branch; its newest commit is wanted."},
		{"repo.ref.tag", "none", "A tag. One that is moved is not followed, unless `repo.allowRewrite` is true."},
		{"repo.ref.semver", "none", "A range of versions, such as `>=1.2 <2`: the highest tag in it is followed. A leading v is no part of a version; prereleases count only where the range names one."},
		{"repo.ref.commit", "none", "One commit, with all its 40 hexadecimal digits."},
		{"repo.path", "the whole repository", "The directory in the repository that holds the apps, without `..`."},
		{"repo.interval", "30s", "The time between two polls, from 1s to 24h; up to four times as long (at most two minutes) while the repository does not answer, and up to `repo.maxInterval` while nothing changes."},
		{"repo.schedule", "none", "Cron expressions, such as `*/5 * * * *` or `CRON_TZ=Europe/Berlin 0 9 * * 1-5`: times at which to look, once at the start, and, where `repo.interval` is not given, at no others. See [triggers](triggers.md)."},
		{"repo.maxInterval", "ten times `repo.interval`, at most 5m", "What the time between two polls grows to: it is a sixtieth of the time that nothing has changed for. After a change, a webhook or `syncd sync` it is `repo.interval` again. The same as `repo.interval`: it never grows."},
		{"repo.timeout", "15s", "The time that `repo.url`, and each mirror, has to say what the followed ref names, from 1s to 5m."},
		{"repo.allowRewrite", "false", "Permits that the followed branch is rewritten (force-pushed), and the followed tag moved. Without it such a revision is refused until a person accepts it. Nothing that is behind what was accepted is ever followed."},
		{"repo.auth", "", "How the repository is reached. Secrets stand in files, which are read anew at each use."},
	}, authKeys(), []keyDoc{
		{"repo.mirrors", "none", "Other places where the same repository can be had, in the order in which they are asked where `repo.url` does not answer or is behind: URLs, or `{url, auth}`. See [mirrors](mirrors.md)."},
		{"repo.mirrors.url", "", "The mirror's address, in the forms of `repo.url`."},
		{"repo.mirrors.auth", "as `repo.auth`", "How this mirror is reached, with the keys of `repo.auth`. `auth: {}` sends it no login."},
	}, mirrorKeys(), []keyDoc{
		{"repo.verify", "none: signatures are not looked at", "Whose signature a revision needs before anything of it is rendered; see [signatures.md](signatures.md). Key files are read anew at each poll."},
		{"repo.verify.mode", "head", "`head`: the followed commit has to be signed. `every`: so has each commit that came since the revision accepted last, merges included."},
		{"repo.verify.tags", "commit", "What has to be signed where a tag is followed: its `commit`, the annotated `tag` in its stead, or `both`."},
		{"repo.verify.ssh", "", "The keys of SSH signatures."},
		{"repo.verify.ssh.allowedSignersFile", "none", "Who may sign: a file as `ssh-keygen -Y verify` reads it (ALLOWED SIGNERS in ssh-keygen(1))."},
		{"repo.verify.ssh.revokedFile", "none", "Keys that are not believed any more, whenever they signed: public keys, one a line, or a list that `ssh-keygen -k` made."},
		{"repo.verify.openpgp", "", "The keys of OpenPGP signatures."},
		{"repo.verify.openpgp.keyringFiles", "none", "Files of public keys, as `gpg --export` writes them, in armour or not."},
	})
}

// authKeys are those of repo.auth.
func authKeys() []keyDoc {
	return []keyDoc{
		{"repo.auth.username", "git", "The user name for HTTPS. It is sent with a password only."},
		{"repo.auth.passwordFile", "none", "A file that holds the password or token for HTTPS."},
		{"repo.auth.passwordEnv", "none", "The variable of the agent's environment that holds the password or token, in place of a file."},
		{"repo.auth.clientCertFile", "none", "A certificate to show to an HTTPS server, in PEM, with those that it is signed by."},
		{"repo.auth.clientKeyFile", "none", "The private key of that certificate, in PEM."},
		{"repo.auth.sshKeyFile", "none", "A file that holds the private key for SSH."},
		{"repo.auth.sshPassphraseFile", "none", "A file that holds the passphrase of that key."},
		{"repo.auth.sshAgent", "false", "Logs in with the keys of the ssh-agent that SSH_AUTH_SOCK in the agent's environment names."},
		{"repo.auth.knownHostsFile", "none", "The known_hosts file for SSH; SSH does not work without, unless `knownHosts` is `accept-new`."},
		{"repo.auth.knownHosts", "strict", "What becomes of an SSH host that is not in that file: `strict` refuses it, `accept-new` trusts the key that it shows first, and keeps it in `known_hosts` in the state directory. A key that has changed or is revoked is always refused."},
		{"repo.auth.caFile", "none", "A certificate authority for HTTPS beside the system's; also for servers of Helm charts."},
		{"repo.auth.allowHTTP", "false", "Permits plain HTTP, without credentials."},
	}
}

// mirrorKeys are those of a mirror's own login: the same.
func mirrorKeys() []keyDoc {
	var out []keyDoc
	for _, doc := range authKeys() {
		path := "repo.mirrors" + strings.TrimPrefix(doc.path, "repo")
		out = append(out, keyDoc{path, doc.deflt, "As `" + doc.path + "`."})
	}
	return out
}
