package forge

import (
	"crypto/x509"
	"fmt"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/egress"
	"syncd.io/syncd/internal/fault"
)

// token reads the token anew: it may have been changed. Errors: Blocked; they never
// hold it.
func (d *destination) token() (string, error) {
	value, err := egress.Secret(d.conf.TokenFile, d.conf.TokenEnv)
	if err != nil {
		return "", d.blocked("read the token", err, d.tokenHint())
	}
	return value, nil
}

func (d *destination) blocked(doing string, err error, hint string) error {
	return fault.Hint(fault.As(fault.Blocked, fmt.Errorf("%s of feedback %s: %w", doing, d.name(), err)), hint)
}

// tokenHint says which token would do.
func (d *destination) tokenHint() string {
	rights := map[string]string{
		config.GitHub:          "a fine-grained token with \"Commit statuses: write\", or a classic one with repo:status",
		config.GitLab:          "a project access token of at least a Developer, with the scope api",
		config.Bitbucket:       "a repository access token with repository:write; of an API token, feedback.username too",
		config.BitbucketServer: "an HTTP access token that may read the repository",
	}
	want := rights[d.conf.Provider]
	if want == "" {
		want = "a token with write:repository"
	}
	return "the token of feedback " + d.name() + " has to be " + want + "; it is tried again each hour"
}

// trust are the authorities that the server is believed by; nil are the system's.
func (d *destination) trust() (*x509.CertPool, error) {
	pool, err := egress.Trust(d.conf.CAFile)
	if err != nil {
		return nil, d.blocked("read the authority", err, "check its caFile")
	}
	return pool, nil
}
