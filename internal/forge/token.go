package forge

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
)

// fileBound is what is read of a file with a token or certificates, in bytes.
const fileBound = 1 << 20

// token reads the token anew: it may have been changed. Errors: Blocked; they never
// hold it.
func (d *destination) token() (string, error) {
	c := d.conf
	value, from := os.Getenv(c.TokenEnv), "the environment's "+c.TokenEnv
	if c.TokenFile != "" {
		data, err := readFile(c.TokenFile)
		if err != nil {
			return "", d.blocked("read the token", err, d.tokenHint())
		}
		value, from = string(data), c.TokenFile
	}
	value = strings.TrimSpace(value)
	switch {
	case value == "":
		return "", d.blocked("read the token", errors.New(from+" is empty"), d.tokenHint())
	case strings.ContainsAny(value, "\r\n\x00"):
		return "", d.blocked("read the token", errors.New(from+" has more than one line"), d.tokenHint())
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
	if d.conf.CAFile == "" {
		return nil, nil
	}
	pem, err := readFile(d.conf.CAFile)
	if err == nil {
		pool, failed := x509.SystemCertPool()
		if failed != nil {
			pool = x509.NewCertPool()
		}
		if pool.AppendCertsFromPEM(pem) {
			return pool, nil
		}
		err = errors.New("it holds no certificate in PEM")
	}
	return nil, d.blocked("read the authority", err, "check its caFile")
}

// readFile reads a regular file, up to a bound.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, fileBound+1))
	if err == nil && len(data) > fileBound {
		err = fmt.Errorf("%s is longer than %d bytes", path, fileBound)
	}
	return data, err
}
