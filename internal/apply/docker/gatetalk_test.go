package docker

import (
	"strings"
	"testing"

	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// A gate outlives the agent that made it: its program may not know how to wait.
func TestAGateThatCannotWaitIsAskedAllTheSame(t *testing.T) {
	f := newFixture(t)
	ref := f.put(f.container(dockertest.Image(f, "", "COPY app /syncd-gate"), "web", 1, nil))
	got, err := f.target.Health(f.ctx, resource.Key{Kind: spec.KindRoute, Namespace: "web", Name: "80"}, ref)
	if err != nil {
		t.Fatal(err)
	}
	if got.State != resource.Progressing || !strings.HasPrefix(got.Reason, "7 connections end") {
		t.Errorf("got %+v", got)
	}
}
