package source_test

import (
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
)

// Bundles are held against the signatures that are asked for, like servers.
func TestOnlySignedRevisionsOfBundlesAreLoaded(t *testing.T) {
	for _, mode := range []string{"head", "every"} {
		s, in := newSigners(t), arrivals(t)
		s.verify.Mode = mode
		r := s.follow(in.url())
		s.by("ann", "a")
		s.as("ann", "tag", "-s", "v1", "-m", "one")
		in.put("1.bundle", s.bundle("main", "v1"), time.Hour)
		accepted(t, r)
		bad := s.by("eve", "b")
		in.put("2.bundle", s.bundle("main", "^v1"), time.Minute)
		refused(t, r, bad, s.fingerprint("eve"), "does not list")
		if mode == "head" {
			s.by("ann", "c")
			in.put("3.bundle", s.bundle("main", "^"+bad), 0)
			accepted(t, r)
		}
	}
}

// A tag's own signature is in the bundle, too.
func TestSignedTagsComeWithBundles(t *testing.T) {
	s, in := newSigners(t), arrivals(t)
	s.verify.Tags = "tag"
	s.by("", "a")
	s.as("ann", "tag", "-s", "v1", "-m", "one")
	in.put("1.bundle", s.bundle("v1"), time.Hour)
	r := s.follow(in.url(), func(o *source.Options) { o.Ref = config.Ref{Tag: "v1"} })
	if got := accepted(t, r).Revision.Signer; got.Name != "ann@example.com" || got.Tag != "v1" {
		t.Errorf("signed by %+v", got)
	}
}

// No bundle takes a host back in time, or to another history.
func TestBundlesLeadForwardOnly(t *testing.T) {
	g, commits := history(t, 3)
	g.git("branch", "old", commits[0])
	in := arrivals(t)
	r := follow(t, in.url(), func(o *source.Options) { o.Anchors = &memory{} })
	in.put("new.bundle", g.bundle("main"), time.Minute)
	accepted(t, r)
	older := func() []byte {
		g.git("update-ref", "refs/heads/main", commits[0])
		defer g.git("update-ref", "refs/heads/main", commits[2])
		return g.bundle("main")
	}
	in.remove("new.bundle")
	in.put("old.bundle", older(), 0)
	wantNone(t, r, fault.Unreachable, "stale")
	if got := r.Remotes()[0]; got.State != source.RemoteStale || got.Head != commits[0] {
		t.Errorf("it is %+v", got)
	}
	g.git("checkout", "-q", "-B", "main", "old")
	g.write("shop/evil", "another history")
	g.commit("apart")
	in.put("apart.bundle", g.bundle("main"), 0)
	wantNone(t, r, fault.Blocked, "")
	if got := r.Remotes()[0]; got.State != source.RemoteDiverged {
		t.Errorf("it is %+v", got)
	}
}
