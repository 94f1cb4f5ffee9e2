package config

import (
	"cmp"
	"time"

	"syncd.io/syncd/internal/fault"
)

// Feedback is a forge whose commits are told how they fare on this host.
type Feedback struct {
	// Name is what log and metrics call it. Default the provider.
	Name     string `yaml:"name,omitempty" json:"name,omitempty" rule:"name"`
	Provider string `yaml:"provider" json:"provider" rule:"github|gitlab|gitea|forgejo|bitbucket|bitbucket-server"`
	// URL is the base of the API; default that of the provider's public service.
	URL string `yaml:"url,omitempty" json:"url,omitempty" rule:"web"`
	// Repository is OWNER/NAME there; default that of repo.url.
	Repository string `yaml:"repository,omitempty" json:"repository,omitempty" rule:"forgeRepository"`
	// Username makes a login of it and the token, where the forge wants one.
	Username string `yaml:"username,omitempty" json:"username,omitempty"`
	// TokenFile holds a token that may set statuses; it is read anew at each use.
	TokenFile string `yaml:"tokenFile,omitempty" json:"tokenFile,omitempty" rule:"abs"`
	TokenEnv  string `yaml:"tokenEnv,omitempty" json:"tokenEnv,omitempty" rule:"variable"`
	// Environment is what this host is part of, such as production.
	Environment string `yaml:"environment,omitempty" json:"environment,omitempty" rule:"labelValue"`
	// Context names the status. Default syncd/{host}.
	Context string `yaml:"context,omitempty" json:"context,omitempty" rule:"statusContext"`
	// TargetURL is where a click on the status leads.
	TargetURL string `yaml:"targetURL,omitempty" json:"targetURL,omitempty" rule:"anyWeb"`
	// PerApp sets a status for each app, too.
	PerApp bool `yaml:"perApp,omitempty" json:"perApp,omitempty"`
	// CAFile is a certificate authority besides the system's.
	CAFile string `yaml:"caFile,omitempty" json:"caFile,omitempty" rule:"abs"`
	// Timeout is what one attempt may take.
	Timeout Duration `yaml:"timeout,omitempty" json:"timeout,omitempty" rule:"1s..1m"`
}

// The providers.
const (
	GitHub          = "github"
	GitLab          = "gitlab"
	Gitea           = "gitea"
	Forgejo         = "forgejo"
	Bitbucket       = "bitbucket"
	BitbucketServer = "bitbucket-server"
)

// Label is Name with its default.
func (f Feedback) Label() string { return cmp.Or(f.Name, f.Provider) }

// Limit is Timeout with its default.
func (f Feedback) Limit() time.Duration { return cmp.Or(f.Timeout, Duration(15*time.Second)).D() }

// checkFeedback checks what concerns several fields of feedback at once.
func (d *decoder) checkFeedback(host Host) {
	if d.faulty() {
		return
	}
	seen := map[string]bool{}
	for i, f := range host.Feedback {
		at := nth("feedback", i)
		line := d.lines[at]
		switch {
		case f.Provider == "":
			d.add(line, "github, gitlab, gitea, forgejo, bitbucket or bitbucket-server", "%s.provider is missing", at)
			continue
		case f.TokenFile+f.TokenEnv == "":
			d.add(line, "add tokenFile, with the path of a file that holds a token which may set commit statuses", "%s has no token", at)
		case f.TokenFile != "" && f.TokenEnv != "":
			d.add(line, "keep one of them", "%s says in two ways what its token is", at)
		case f.Username != "" && f.Provider != Bitbucket && f.Provider != BitbucketServer:
			d.add(line, "remove it", "%s.username is given, and %s takes a token alone", at, f.Provider)
		case seen[f.Label()]:
			d.add(line, "give each a name", "%s is called %q, like another one", at, f.Label())
		}
		seen[f.Label()] = true
		if _, err := f.Place(host.Repo.URL); err != nil {
			d.add(line, fault.Advice(err), "%s%s", at, err.Error())
		}
	}
}
