package remote

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/go-git/go-git/v5/plumbing"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
)

const (
	heads = "refs/heads/"
	tags  = "refs/tags/"
)

// Want is what to look for in a repository.
type Want struct {
	// Refs are full ref names, tried in order; none is the remote's HEAD.
	Refs []string `json:"refs,omitempty"`
	// Semver is a range of versions: the highest tag in it is looked for, and Refs are
	// empty.
	Semver string `json:"semver,omitempty"`
	// Commit is a full object name that needs no query; Refs are empty then.
	Commit string `json:"commit,omitempty"`
}

// String says what is looked for, as in "branch main".
func (w Want) String() string {
	switch {
	case w.Commit != "":
		return "commit " + w.Commit
	case w.Semver != "":
		return "the highest tag in " + w.Semver
	case len(w.Refs) == 0:
		return "HEAD"
	case len(w.Refs) > 1:
		return "branch or tag " + Short(w.Refs[0])
	case strings.HasPrefix(w.Refs[0], heads):
		return "branch " + Short(w.Refs[0])
	case strings.HasPrefix(w.Refs[0], tags):
		return "tag " + Short(w.Refs[0])
	}
	return "ref " + w.Refs[0]
}

// IsTag tells whether what is looked for is one tag.
func (w Want) IsTag() bool { return len(w.Refs) == 1 && strings.HasPrefix(w.Refs[0], tags) }

// Short returns a ref's name as people say it: without refs/heads/ or refs/tags/.
func Short(ref string) string {
	return strings.TrimPrefix(strings.TrimPrefix(ref, heads), tags)
}

// FromConfig checks what the configuration follows, without I/O. The error is
// Rejected, with a hint.
func FromConfig(r config.Ref) (Want, error) {
	set := 0
	for _, s := range []string{r.Branch, r.Tag, r.Semver, r.Commit} {
		if s != "" {
			set++
		}
	}
	switch {
	case set > 1:
		return Want{}, badRef(errors.New("at most one of branch, tag, semver and commit can be set"))
	case r.Branch != "":
		return named(heads + r.Branch)
	case r.Tag != "":
		return named(tags + r.Tag)
	case r.Semver != "":
		return semverRange(r.Semver)
	case r.Commit != "":
		return commit(r.Commit)
	}
	return Want{}, nil
}

// FromName checks a name that a person typed: a full commit, a full ref, a
// branch, else a tag; "" and HEAD are the remote's HEAD. The error is Rejected.
func FromName(name string) (Want, error) {
	switch {
	case name == "" || name == "HEAD":
		return Want{}, nil
	case plumbing.IsHash(name):
		return commit(name)
	case strings.HasPrefix(name, "refs/"):
		return named(name)
	}
	return named(heads+name, tags+name)
}

func named(refs ...string) (Want, error) {
	for _, ref := range refs {
		if err := refName(ref); err != nil {
			return Want{}, badRef(err)
		}
	}
	return Want{Refs: refs}, nil
}

func badRef(err error) error {
	return fault.Hint(fault.As(fault.Rejected, fmt.Errorf("repo.ref: %w", err)), "name a branch (main), a tag (v1.2) or a full 40-digit commit")
}

// refName holds a name against git check-ref-format; no name reaches a remote
// or a path otherwise.
func refName(ref string) error {
	if len(ref) > 255 || strings.Contains(ref, "/-") || plumbing.ReferenceName(ref).Validate() != nil || !strings.HasPrefix(ref, "refs/") {
		return fmt.Errorf("%.100q is not a name that a branch or tag can have", Short(ref))
	}
	for _, r := range ref {
		if r == '\ufffd' || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return fmt.Errorf("%.100q has characters that a branch or tag cannot have", Short(ref))
		}
	}
	return nil
}

func commit(hash string) (Want, error) {
	hash = strings.ToLower(hash)
	if strings.Trim(hash, "0123456789abcdef") != "" {
		return Want{}, badRef(fmt.Errorf("%.100q is not a commit", hash))
	}
	switch len(hash) {
	case 40:
		return Want{Commit: hash}, nil
	case 64:
		return Want{}, badRef(errors.New("SHA-256 repositories are not supported"))
	}
	return Want{}, badRef(fmt.Errorf("the commit %.100q is not given in full", hash))
}

// ValidCommit tells whether s is a full lower-case object name.
func ValidCommit(s string) bool {
	return len(s) == 40 && strings.Trim(s, "0123456789abcdef") == ""
}
