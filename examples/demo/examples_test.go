package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// onStage sets the story's stage on the cluster, with the repository and the
// images, and no agent; everything goes with the test.
func onStage(t *testing.T) *story {
	t.Helper()
	o := programs(t)
	o.kubernetes = true
	if err := o.absolute(); err != nil {
		t.Fatal(err)
	}
	place, err := newStage()
	if err != nil {
		t.Fatal(err)
	}
	s := &story{stage: place, terminal: newTerminal(io.Discard, false), options: o}
	t.Cleanup(func() {
		if err := s.clear(t.Context()); err != nil {
			t.Error(err)
		}
	})
	plot, err := s.onCluster(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.later(plot.leavings)
	if err := s.prepare(t.Context(), plot); err != nil {
		t.Fatal(err)
	}
	config, err := s.configure(s.repo.bare)
	if err != nil {
		t.Fatal(err)
	}
	s.verbs = verbs{syncd: s.syncd, config: config}
	return s
}

// says runs a verb and returns its answer, which has to be well.
func (s *story) says(t *testing.T, words ...string) string {
	t.Helper()
	text, err := s.verbs.ask(t.Context(), words...)
	if err != nil {
		t.Fatalf("syncd %s: %v\n%s", strings.Join(words, " "), err, text)
	}
	t.Logf("$ syncd %s\n%s", strings.Join(words, " "), text)
	return text
}

// runs is how many instances of a Deployment are available.
func (s *story) runs(t *testing.T, name string) string {
	t.Helper()
	text, err := s.cluster.text(t.Context(), s.cluster.in(apps, "deployments/"+name), "status", "availableReplicas")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestExamplesAreAppliedOnceAndTakenAwayWithConsent(t *testing.T) {
	s := onStage(t)
	s.says(t, "sync")
	for name, want := range map[string]string{"web": "3", "worker": "2", "api": "2", "cache": "2"} {
		if got := s.runs(t, name); got != want {
			t.Errorf("of %s %s are available, want %s", name, got, want)
		}
	}
	for _, job := range []string{"migrate", "cache-prepare"} {
		if done, err := s.cluster.text(t.Context(), s.cluster.in("/apis/batch/v1", "jobs/"+job), "status", "succeeded"); err != nil || done != "1" {
			t.Errorf("job %s succeeded %q times, want once (%v)", job, done, err)
		}
	}
	s.says(t, "plan", "--exit-code") // nothing is left to do

	if err := s.withoutCache(t.Context()); err != nil {
		t.Fatal(err)
	}
	asked := s.says(t, "sync")
	if got := s.runs(t, "cache"); got != "2" {
		t.Errorf("without consent %s of 2 are left", got)
	}
	digest := regexp.MustCompile(`approve cache --plan ([0-9a-f]+)`).FindStringSubmatch(asked)
	if digest == nil {
		t.Fatalf("nobody was asked for consent:\n%s", asked)
	}
	s.says(t, "approve", "cache", "--plan", digest[1])
	s.says(t, "sync")
	if _, err := s.cluster.Do(t.Context(), http.MethodGet, s.cluster.in(apps, "deployments/cache"), nil); !missing(err) {
		t.Errorf("with consent the cache is still there: %v", err)
	}
	if got := s.runs(t, "web"); got != "3" {
		t.Errorf("%s of 3 of the shop are left", got)
	}
}

// withoutCache merges the end of an app.
func (s *story) withoutCache(ctx context.Context) error {
	_, err := s.repo.merge(ctx, "no-cache", "The shop is fast enough", func() error {
		return os.RemoveAll(filepath.Join(s.repo.clone, "kubernetes", "cache"))
	})
	return err
}
