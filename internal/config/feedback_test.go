package config

import (
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
)

func TestWhichForgeIsTold(t *testing.T) {
	host, err := DecodeHost("f", []byte(`repo: {url: "https://github.com/acme/deploy.git"}
feedback:
  - {provider: github, tokenFile: /etc/syncd/github, environment: production}
  - {name: mirror, provider: gitlab, url: "https://git.acme.org", repository: ops/prod/deploy, tokenEnv: GITLAB, context: "deploy/{host}", perApp: true, timeout: 5s}
`))
	if err != nil {
		t.Fatal(err)
	}
	f := host.Feedback
	if len(f) != 2 || f[0].Label() != "github" || f[1].Label() != "mirror" || f[0].Limit() != 15*time.Second || f[1].Limit() != 5*time.Second || !f[1].PerApp {
		t.Errorf("the forges are %+v", f)
	}
}

func TestWhereTheForgeHasTheRepository(t *testing.T) {
	for _, x := range []struct{ provider, url, repository, repo, want string }{
		{GitHub, "", "", "https://github.com/acme/deploy.git", "https://api.github.com https://github.com acme/deploy"},
		{GitHub, "", "", "git@github.com:acme/deploy.git", "https://api.github.com https://github.com acme/deploy"},
		{GitHub, "", "acme/deploy", "/srv/git/deploy", "https://api.github.com https://github.com acme/deploy"},
		{GitHub, "https://github.com", "", "https://github.com/acme/deploy", "https://api.github.com https://github.com acme/deploy"},
		{GitHub, "https://git.acme.org/", "", "ssh://git@git.acme.org:2222/acme/deploy.git", "https://git.acme.org/api/v3 https://git.acme.org acme/deploy"},
		{GitLab, "", "", "https://gitlab.com/a/b/c/deploy.git", "https://gitlab.com/api/v4 https://gitlab.com a/b/c/deploy"},
		{GitLab, "https://git.acme.org/api/v4", "", "https://git.acme.org/a/b.git", "https://git.acme.org/api/v4 https://git.acme.org a/b"},
		{Gitea, "http://127.0.0.1:3000/git", "", "http://127.0.0.1:3000/git/a/b.git", "- .repository is missing: repo.url does not say it"},
		{Gitea, "http://127.0.0.1:3000/git", "a/b", "http://127.0.0.1:3000/git/a/b.git", "http://127.0.0.1:3000/git/api/v1 http://127.0.0.1:3000/git a/b"},
		{Gitea, "", "", "https://git.acme.org/a/b.git", "- .url is missing: whose API it is, nothing says"},
		{Forgejo, "", "", "https://codeberg.org/a/b.git", "https://codeberg.org/api/v1 https://codeberg.org a/b"},
		{Bitbucket, "", "", "git@bitbucket.org:acme/deploy.git", "https://api.bitbucket.org/2.0 https://bitbucket.org acme/deploy"},
		{BitbucketServer, "https://git.acme.org", "", "https://git.acme.org/scm/OPS/deploy.git", "https://git.acme.org/rest https://git.acme.org OPS/deploy"},
		{BitbucketServer, "https://git.acme.org/rest", "", "ssh://git@git.acme.org:7999/ops/deploy.git", "https://git.acme.org/rest https://git.acme.org ops/deploy"},
		// the token of one server is not sent to another
		{GitLab, "", "", "https://git.acme.org/a/b.git", "- .url is missing: whose API it is, nothing says"},
		{GitHub, "", "", "/srv/git/deploy", "- .repository is missing: repo.url does not say it"},
		{GitHub, "", "", "bundle:///srv/deploy", "- .repository is missing: repo.url does not say it"},
		{GitHub, "https://token@git.acme.org", "a/b", "", "- .url is no base of an API"},
	} {
		place, err := Feedback{Provider: x.provider, URL: x.url, Repository: x.repository}.Place(x.repo)
		got := strings.Join([]string{place.API, place.Web, place.Path}, " ")
		if err != nil {
			got = "- " + err.Error()
		}
		if got != x.want {
			t.Errorf("%+v is at %s", x, got)
		}
	}
}

func TestAForgeThatCannotBeToldIsSaid(t *testing.T) {
	for text, want := range map[string]string{
		"{tokenFile: /t}":                                                               "feedback[0].provider is missing",
		"{provider: githup, tokenFile: /t}":                                             `did you mean "github"?`,
		"{provider: github}":                                                            "feedback[0] has no token",
		"{provider: github, tokenFile: /t, tokenEnv: T}":                                "says in two ways what its token is",
		"{provider: github, tokenFile: /t, username: u}":                                "takes a token alone",
		"{provider: github, tokenFile: /t}, {provider: github, tokenFile: /t}":          `feedback[1] is called "github", like another one`,
		"{provider: gitea, tokenFile: /t}":                                              "feedback[0].url is missing",
		"{provider: github, tokenFile: /t, repository: a}":                              "want OWNER/NAME",
		"{provider: github, tokenFile: /t, repository: a/b/c}":                          "feedback[0].repository is missing",
		"{provider: github, tokenFile: /t, repository: a/..}":                           "want OWNER/NAME",
		"{provider: github, tokenFile: t}":                                              "want an absolute path",
		"{provider: github, tokenFile: /t, token: secret-0123}":                         "did you mean",
		"{provider: github, tokenFile: /t, context: \"a\\nb\"}":                         "context",
		"{provider: github, tokenFile: /t, targetURL: 'javascript:alert(1)'}":           "want an http or https URL",
		"{provider: gitlab, tokenFile: /t, url: 'https://a?private_token=secret-0123'}": "without a login or a query",
	} {
		_, err := DecodeHost("f", []byte("repo: {url: 'https://github.com/acme/deploy'}\nfeedback: ["+text+"]\n"))
		if err == nil || fault.Of(err) != fault.Rejected || !strings.Contains(err.Error()+" "+fault.Advice(err), want) || strings.Contains(err.Error(), "secret-0123") {
			t.Errorf("%s\n%v\nwant %s", text, err, want)
		}
	}
}
