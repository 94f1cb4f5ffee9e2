package endtoend_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/volume"

	"syncd.io/syncd/internal/apply/docker"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/state"
)

// shared is an app that two agents want.
const shared = `
services:
  web:
    image: IMAGE
    environment: {APP_VERSION: "1"}
    PROBE
  db:
    image: IMAGE
    volumes: ["data:/data"]
    PROBE
volumes:
  data: {}
`

// rival is an agent that is told apart from others on the same engine, by its
// state directory, as the shipped one is.
type rival struct{ *host }

// rivals are two agents on one engine, each with a repository and a state
// directory of its own, and with the same app in it.
func rivals(t *testing.T) (a, b rival) {
	h := newHost(t)
	return rival{h}, rival{h}.beside()
}

// beside is another agent for the same app on the same engine.
func (r rival) beside() rival {
	h := &host{t: r.t, api: r.api, project: r.project, image: r.image, repo: r.t.TempDir(), state: r.t.TempDir()}
	h.git("init", "--quiet", "--initial-branch=main")
	h.write(".syncd.yaml", "rollout: {soak: 500ms, timeout: 20s}\n")
	return rival{h}
}

// told lets an agent's engine know whose it is.
func (r rival) told(o *reconcile.Options) {
	eng, err := docker.Open(r.t.Context(), docker.Options{Agent: o.Store.(*state.Store).ID(), Mounts: filepath.Join(r.state, "mounts")})
	r.must(err)
	r.t.Cleanup(func() { r.must(eng.Close()) })
	o.Engine = engine{eng}
}

func (r rival) ends(outcome reconcile.Outcome) reconcile.Result {
	r.t.Helper()
	return r.want(r.sync(r.told), outcome)
}

func (r rival) says(verb string, req reconcile.ActRequest) reconcile.ActResult {
	r.t.Helper()
	agent, done := r.agent(r.told)
	defer done()
	out, err := r.actOn(agent, verb, req)
	r.must(err)
	return out
}

// adopts takes the app over, and fails the test where that touches a container.
func (r rival) adopts() {
	r.t.Helper()
	r.untouched(func() {
		res := r.says("adopt", reconcile.ActRequest{Confirm: true}).Result
		if res.Outcome != reconcile.Unchanged && res.Outcome != reconcile.Applied {
			r.t.Fatalf("adopt ended %s: %s\n%s", res.Outcome, res.Reason, r.story())
		}
	})
}

func (r rival) id() string {
	r.t.Helper()
	store, err := state.Open(r.state)
	r.must(err)
	defer func() { r.must(store.Close()) }()
	return store.ID()
}

// out fails the test unless the agent sees that winner has the app, says so
// everywhere, and leaves it alone.
func (r rival) out(winner rival) {
	r.t.Helper()
	is := func(where, reason, hint string) {
		r.t.Helper()
		if !strings.Contains(reason, "taken over by another syncd agent (state directory ID "+winner.id()+")") {
			r.t.Errorf("%s gives the reason %q, want that %s took it over", where, reason, winner.id())
		}
		if !strings.Contains(hint, "syncd adopt "+r.project) {
			r.t.Errorf("%s gives the hint %q", where, hint)
		}
	}
	r.untouched(func() {
		agent, done := r.agent(r.told)
		defer done()
		st, err := agent.Status(r.t.Context(), []string{r.project})
		r.must(err)
		if s := st.Apps[0]; s.Status != reconcile.WBlocked {
			r.t.Errorf("the status is %s, want Blocked", s.Status)
		}
		is("status", st.Apps[0].Reason, st.Apps[0].Hint)
		plans, err := agent.Plan(r.t.Context(), reconcile.PlanRequest{Apps: []string{r.project}})
		r.must(err)
		if p := plans[0]; p.Outcome != reconcile.Blocked || !p.Plan.Empty() {
			r.t.Errorf("the plan is %s and does %s, want blocked and nothing", p.Outcome, p.Plan)
		}
		is("plan", plans[0].Error, plans[0].Hint)
		res := r.want(r.pass(agent), reconcile.Blocked)
		is("the pass", res.Reason, res.Hint)
	})
}

// marks are the names of the volumes that say who has the app.
func (r rival) marks() []string {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), passLimit)
	defer cancel()
	list, err := r.api.VolumeList(ctx, volume.ListOptions{Filters: filters.NewArgs(filters.Arg("label", "io.syncd.app="+r.project), filters.Arg("label", "io.syncd.kind=owner"))})
	r.must(err)
	var names []string
	for _, v := range list.Volumes {
		names = append(names, v.Name)
	}
	return names
}
