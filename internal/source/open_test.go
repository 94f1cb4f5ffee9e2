package source_test

import (
	"strings"
	"testing"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
)

// TestOpenRefusesBeforeAnyIO holds what a configuration must not say.
func TestOpenRefusesBeforeAnyIO(t *testing.T) {
	keys := config.Auth{SSHKeyFile: "/k", KnownHostsFile: "/h"}
	for _, c := range []struct {
		o    source.Options
		text string
		hint string
	}{
		{source.Options{}, "it is empty", "repo.url is"},
		{source.Options{URL: "--upload-pack=x"}, "begins with a dash", "repo.url is"},
		{source.Options{URL: "https://u:hunter2@host/x"}, "user name, password or token", "passwordFile"},
		{source.Options{URL: "https://ghp_hunter2@host/x"}, "user name, password or token", "passwordFile"},
		{source.Options{URL: "ssh://u:hunter2@host/x", Auth: keys}, "holds a password", "sshKeyFile"},
		{source.Options{URL: "https://host/x%zzhunter2"}, "not a URL", ""},
		{source.Options{URL: "https://host/x?token=hunter2"}, "query", ""},
		{source.Options{URL: "https://host/\nhunter2"}, "control characters", ""},
		{source.Options{URL: "ext::sh -c hunter2"}, "remote helpers", ""},
		{source.Options{URL: "git://host/x"}, `scheme "git" is not supported`, ""},
		{source.Options{URL: "https://host"}, "no repository", ""},
		{source.Options{URL: "https:///x"}, "no host", ""},
		{source.Options{URL: "file://host/x"}, "path on this machine", ""},
		{source.Options{URL: "ssh://-oProxyCommand=x/y", Auth: keys}, "", ""},
		{source.Options{URL: "git@-oProxyCommand=x:y", Auth: keys}, "dash", ""},
		{source.Options{URL: "git@host:-x", Auth: keys}, "dash", ""},
		{source.Options{URL: "http://host/x"}, "neither private nor safe", "allowHTTP"},
		{source.Options{URL: "http://host/x", Auth: config.Auth{AllowHTTP: true, PasswordFile: "/p"}}, "never sent over plain http", "https"},
		{source.Options{URL: "git@host:x"}, "knownHostsFile is missing", "ssh-keyscan"},
		{source.Options{URL: "git@host:x", Auth: config.Auth{KnownHostsFile: "/h"}}, "sshKeyFile is missing", "ssh-keygen"},
		{source.Options{URL: "/x", Ref: config.Ref{Branch: "a", Tag: "b"}}, "at most one", ""},
		{source.Options{URL: "/x", Ref: config.Ref{Branch: "a..b"}}, "not a name", "branch"},
		{source.Options{URL: "/x", Ref: config.Ref{Branch: "--upload-pack=x"}}, "not a name", ""},
		{source.Options{URL: "/x", Ref: config.Ref{Branch: "../../config"}}, "not a name", ""},
		{source.Options{URL: "/x", Ref: config.Ref{Tag: "a\x00b"}}, "not a name", ""},
		{source.Options{URL: "/x", Ref: config.Ref{Tag: "v1.lock"}}, "not a name", ""},
		{source.Options{URL: "/x", Ref: config.Ref{Branch: "a b"}}, "not a name", ""},
		{source.Options{URL: "/x", Ref: config.Ref{Branch: strings.Repeat("a", 300)}}, "not a name", ""},
		{source.Options{URL: "/x", Ref: config.Ref{Commit: "abc123"}}, "not given in full", "40-digit"},
		{source.Options{URL: "/x", Ref: config.Ref{Commit: "main"}}, "not a commit", ""},
		{source.Options{URL: "/x", Ref: config.Ref{Commit: strings.Repeat("a", 64)}}, "SHA-256", ""},
	} {
		t.Run(c.o.URL+c.text, func(t *testing.T) {
			_, err := source.Open(c.o)
			wantFault(t, err, fault.Rejected, c.text, c.hint)
			if strings.Contains(err.Error()+fault.Advice(err), "hunter2") || strings.ContainsAny(err.Error(), "\n\x00") {
				t.Errorf("the error quotes what it must not: %q", err)
			}
		})
	}
}

func TestOpenTakes(t *testing.T) {
	keys := config.Auth{SSHKeyFile: "/k", KnownHostsFile: "/h"}
	for _, o := range []source.Options{
		{URL: "https://host:8443/group/repo.git"},
		{URL: "https://[::1]/repo"},
		{URL: "http://host/repo", Auth: config.Auth{AllowHTTP: true}},
		{URL: "ssh://git@host:2222/repo", Auth: keys},
		{URL: "git@host:group/repo.git", Auth: keys},
		{URL: "host:repo", Auth: keys},
		{URL: "file:///srv/repo"},
		{URL: "/srv/repo", Ref: config.Ref{Branch: "feature/ünï-1.x"}},
		{URL: "../repo", Ref: config.Ref{Tag: "v1.2.3-rc1"}},
		{URL: "./a:b"},
	} {
		if _, err := source.Open(o); err != nil {
			t.Errorf("%s %+v: %v", o.URL, o.Ref, err)
		}
	}
}
