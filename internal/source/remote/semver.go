package remote

import (
	"errors"
	"fmt"
	"strings"

	"github.com/Masterminds/semver/v3"

	"syncd.io/syncd/internal/fault"
)

// semverRange checks a range of versions. The error is Rejected, with a hint.
func semverRange(text string) (Want, error) {
	if _, err := semver.NewConstraint(text); err != nil {
		return Want{}, fault.Hint(fault.As(fault.Rejected, fmt.Errorf("repo.ref.semver: %.100q is no range of versions", text)), `write it like ">=1.2 <2", "~1.4" or "1.x"; with -0 behind a version (">=1.2-0") prereleases count, too`)
	}
	return Want{Semver: text}, nil
}

// highest is the tag with the highest version in the range, as a full ref name, and
// whether there is one. Of tags that say the same version (v1.2 and 1.2.0) the first
// by name counts, so that the choice never depends on a server's order.
func highest(text string, names []string) (string, bool) {
	within, err := semver.NewConstraint(text)
	if err != nil {
		return "", false
	}
	var best *semver.Version
	found := ""
	for _, name := range names {
		v, ok := versionOf(name)
		if !ok || !within.Check(v) {
			continue
		}
		if best == nil || v.GreaterThan(best) || v.Equal(best) && name < found {
			best, found = v, name
		}
	}
	return found, found != ""
}

// versionOf reads the version that a tag's full name says.
func versionOf(ref string) (*semver.Version, bool) {
	name, isTag := strings.CutPrefix(ref, tags)
	if !isTag || refName(ref) != nil {
		return nil, false
	}
	v, err := semver.NewVersion(name)
	return v, err == nil
}

// CompareVersions tells whether the version that tag b says is higher (1), the same
// (0) or lower (-1) than that of tag a; both are full ref names. A name that says no
// version is an error.
func CompareVersions(a, b string) (int, error) {
	from, ok := versionOf(a)
	to, fine := versionOf(b)
	if !ok || !fine {
		return 0, errors.New("the tag's name is no version")
	}
	return to.Compare(from), nil
}

// noVersion is the error of a repository without a tag in the range.
func noVersion(w Want, names []string) error {
	err := fault.As(fault.Rejected, fmt.Errorf("the repository has no tag in the range %s", w.Semver))
	if newest, ok := highest(">=0-0", names); ok {
		return fault.Hint(err, "the highest version that it has is "+Short(newest)+"; change repo.ref.semver, or push a tag")
	}
	return fault.Hint(err, "none of its tags is a version, such as v1.2.3; push one, or follow a branch: repo.ref.branch")
}
