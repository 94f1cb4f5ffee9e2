package kustomize

import (
	"net/url"
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
	user, _, at := strings.Cut(lower, "@")
	return at && user != "" && user[0] >= 'a' && user[0] <= 'z' && strings.Trim(user, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
