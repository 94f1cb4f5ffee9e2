package remote

import (
	"strings"
	"testing"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
)

func TestTheHighestVersionInARange(t *testing.T) {
	names := []string{"refs/heads/v9.9.9", "refs/tags/v1.2", "refs/tags/1.2.0", "refs/tags/v1.10.0", "refs/tags/v1.9.3", "refs/tags/v2.0.0-rc.1", "refs/tags/release-7", "refs/tags/v1.11.0+build.5", "refs/pull/1/head"}
	for within, want := range map[string]string{
		"*": "refs/tags/v1.11.0+build.5", "<1.9": "refs/tags/1.2.0", "~1.9": "refs/tags/v1.9.3", ">=2": "", ">=2-0": "refs/tags/v2.0.0-rc.1", "=1.2": "refs/tags/1.2.0", "1.9.3 - 1.10": "refs/tags/v1.10.0",
	} {
		if got, ok := highest(within, names); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %t; want %q", within, got, ok, want)
		}
	}
}

// FuzzSemver: whatever the range and the tags are, an answer is one of the tags.
func FuzzSemver(f *testing.F) {
	f.Add(">=1.2 <2", "v1.2.3")
	f.Add("~1 || ^2-0", "refs/tags/x")
	f.Add("1.x - 2", "1.99999999999999999999.0")
	f.Fuzz(func(t *testing.T, within, tag string) {
		w, err := FromConfig(config.Ref{Semver: within})
		if err != nil && (fault.Of(err) != fault.Rejected || fault.Advice(err) == "") {
			t.Errorf("%q: %v (%v) without hint", within, err, fault.Of(err))
		}
		if err != nil || w.Semver == "" {
			return
		}
		ref := tags + tag
		got, ok := highest(w.Semver, []string{ref, "refs/heads/" + tag})
		if ok && got != ref || strings.ContainsAny(got, "\x1b\n") {
			t.Errorf("%q in %q: %q", tag, within, got)
		}
	})
}
