package kustomize

import (
	"net/url"
	"regexp"
	"strings"
)

// remote tells whether kustomize would take a text for an address: of a file that
// it fetches, or of a repository that it clones. It errs on the side of refusing; a
// path of the repository that looks like one is written with ./ in front.
func remote(text string) bool {
	if u, err := url.Parse(text); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		return true
	}
	lower := strings.ToLower(strings.TrimSpace(text))
	for _, beginning := range []string{"git::", "ssh://", "https://", "http://", "file://", "git://", "oci://", "s3::", "github.com/", "github.com:", "www.github.com/"} {
		if strings.HasPrefix(lower, beginning) {
			return true
		}
	}
	return regexp.MustCompile(`^[a-z][a-z0-9-]*@`).MatchString(lower)
}
