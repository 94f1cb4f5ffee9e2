package docker

import (
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/mount"
	dockernet "github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

func markVolume(name, app, agent string) *volume.Volume {
	return &volume.Volume{Name: name, Labels: map[string]string{labelKind: kindOwner, labelApp: app, labelAgent: agent}}
}

func TestHighestMarkCounts(t *testing.T) {
	data := &volume.Volume{Name: "syncd-owner-shop.99", Labels: map[string]string{labelApp: "shop", labelAgent: "x"}}
	for _, c := range []struct {
		name    string
		volumes []*volume.Volume
		agent   string
		number  int
	}{
		{"none", nil, "", 0},
		{"one", []*volume.Volume{markVolume("syncd-owner-shop.1", "shop", "a")}, "a", 1},
		{"the last one is not gone yet", []*volume.Volume{markVolume("syncd-owner-shop.10", "shop", "b"), markVolume("syncd-owner-shop.9", "shop", "a")}, "b", 10},
		{"another app's", []*volume.Volume{markVolume("syncd-owner-shop-2.1", "shop-2", "a")}, "", 0},
		{"somebody's own volume of that name", []*volume.Volume{data}, "", 0},
		{"no number", []*volume.Volume{markVolume("syncd-owner-shop.", "shop", "a"), markVolume("syncd-owner-shop.01", "shop", "a"), markVolume("syncd-owner-shop.0", "shop", "a")}, "", 0},
		{"no agent", []*volume.Volume{markVolume("syncd-owner-shop.1", "shop", "")}, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if m := owner("shop", c.volumes); m.agent != c.agent || m.number != c.number {
				t.Errorf("the owner is %q by mark %d, want %q by %d", m.agent, m.number, c.agent, c.number)
			}
		})
	}
}

// touch tells whether the agent may touch a container by its label, the mark and
// its record; an empty name is no label, and no mark.
func touch(agent, maker, owner string, adopted bool) bool {
	labels := map[string]string{labelProject: "shop"}
	if maker != "" {
		labels[labelApp], labels[labelAgent] = "shop", maker
	}
	s := snapshot{project: "shop", title: ownerMark{app: "shop", agent: owner, number: 1}.title(agent)}
	return s.mayTouch(labels, agent, adopted)
}

// TestAtMostOneAgentMayTouch, whatever labels and mark say and whoever adopted
// what. Only of what nobody labelled and nobody marks both records may be true.
func TestAtMostOneAgentMayTouch(t *testing.T) {
	names := []string{"", "a", "b", "c"}
	for _, maker := range names {
		for _, owner := range names {
			for adopted := range 4 {
				a, b := touch("a", maker, owner, adopted&1 != 0), touch("b", maker, owner, adopted&2 != 0)
				if a && b && maker+owner != "" {
					t.Errorf("made by %q, marked by %q, adopted %b: both may touch it", maker, owner, adopted)
				}
			}
		}
	}
}

func TestWhoMayTouch(t *testing.T) {
	for _, c := range []struct {
		name, maker, owner string
		adopted, want      bool
	}{
		{"ours", "a", "", false, true},
		{"ours, taken over", "a", "b", true, false},
		{"ours, taken back", "a", "a", false, true},
		{"another agent's", "b", "", false, false},
		{"another agent's, taken over", "b", "a", true, true},
		{"another agent's, made after that", "b", "a", false, true},
		{"another agent's, and the mark was pruned", "b", "", true, false},
		{"Compose's", "", "", false, false},
		{"Compose's, adopted", "", "a", true, true},
		{"Compose's, adopted, and the mark was pruned", "", "", true, true},
		{"Compose's, come later", "", "a", false, false},
		{"Compose's, adopted by another agent since", "", "b", true, false},
	} {
		if got := touch("a", c.maker, c.owner, c.adopted); got != c.want {
			t.Errorf("%s: may touch %t, want %t", c.name, got, c.want)
		}
	}
}

func TestWhoMayTouchNetworksAndVolumes(t *testing.T) {
	for _, c := range []struct {
		name, maker, owner string
		adopted, want      bool
	}{
		{"ours", "a", "", false, true},
		{"ours, taken over", "a", "b", true, false},
		{"another agent's", "b", "", false, false},
		{"another agent's, taken over", "b", "a", true, true},
		{"another agent's, and the mark was pruned", "b", "", true, false},
		{"Compose's", "", "", false, false},
		{"Compose's, of a project that was adopted", "", "a", true, true},
		{"Compose's, and all that was adopted is replaced", "", "a", false, true},
		{"Compose's, adopted, and the mark was pruned", "", "", true, true},
		{"Compose's, adopted by another agent since", "", "b", true, false},
	} {
		labels := map[string]string{labelProject: "shop"}
		if c.maker != "" {
			labels[labelApp], labels[labelAgent] = "shop", c.maker
		}
		s := snapshot{project: "shop", title: ownerMark{app: "shop", agent: c.owner, number: 1}.title("a")}
		if got := s.mayTouchBase(labels, "a", c.adopted); got != c.want {
			t.Errorf("%s: may touch %t, want %t", c.name, got, c.want)
		}
		if labels[labelProject] = "another"; s.mayTouchBase(labels, "a", true) && c.maker == "" {
			t.Errorf("%s: what is another project's is ours", c.name)
		}
	}
}

// What Compose made, and nobody adopted, is left alone: its networks and volumes,
// too. One that is wanted and as it should be is used.
func TestComposesNetworksAndVolumesAreForeignUntilAdopted(t *testing.T) {
	f := newFixture(t)
	labels := func(kind, key string) map[string]string {
		return map[string]string{labelProject: f.project, kind: key, labelComposeVer: "2.0.0"}
	}
	for _, key := range []string{"default", "old"} {
		if _, err := f.api.NetworkCreate(f.ctx, f.project+"_"+key, dockernet.CreateOptions{Labels: labels(labelNetwork, key)}); err != nil {
			t.Fatal(err)
		}
		if _, err := f.api.VolumeCreate(f.ctx, volume.CreateOptions{Name: f.project + "_" + key, Labels: labels(labelVolume, key)}); err != nil {
			t.Fatal(err)
		}
	}
	used := []resource.Object{f.network("default", nil), f.volume("default", nil)}
	extra := []resource.Key{f.network("old", nil).Key, f.volume("old", nil).Key}
	p := f.observe(used...)
	for _, o := range used {
		if live := p[o.Key].Live; len(live) != 1 || live[0].Foreign {
			t.Errorf("%s, which is wanted and as it should be: %+v", o.Key, live)
		}
	}
	for _, key := range extra {
		if live := p[key].Live; len(live) != 1 || !live[0].Foreign || live[0].Maker != "Docker Compose" {
			t.Errorf("%s, which nobody adopted: %+v", key, live)
		}
	}
	if plan := f.plan(used...); !plan.Empty() || len(plan.Consents) > 0 {
		t.Errorf("it plans\n%s", plan)
	}
	changed := f.network("default", func(n *spec.Network) { n.Internal = true })
	if plan := f.plan(changed); len(plan.Blocked) != 1 || !strings.Contains(plan.Blocked[0], "Docker Compose") {
		t.Errorf("made anew without an adoption:\n%s", plan)
	}
	pairs, err := f.target.Observe(f.ctx, used, apply.Owned{App: f.project, Adopted: []resource.Ref{{ID: "a container of it"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range pairs {
		if pair.Live[0].Foreign {
			t.Errorf("%s is foreign after the adoption", pair.Key)
		}
	}
}

// A container of Compose's that came later keeps what it stands on.
func TestWhatAStrangerStandsOnIsLeftAlone(t *testing.T) {
	f := newFixture(t)
	f.put(f.network("late", nil))
	f.put(f.volume("late", nil))
	labels := map[string]string{labelProject: f.project, labelService: "late", labelNumber: "1", labelComposeVer: "2.0.0"}
	config := &container.Config{Image: dockertest.Image(t, ""), Labels: labels}
	host := &container.HostConfig{
		NetworkMode: container.NetworkMode(f.project + "_late"),
		Mounts:      []mount.Mount{{Type: mount.TypeVolume, Source: f.project + "_late", Target: "/data"}},
	}
	made, err := f.api.ContainerCreate(f.ctx, config, host, nil, nil, f.project+"-late-1")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.api.ContainerStart(f.ctx, made.ID, container.StartOptions{}); err != nil {
		t.Fatal(err)
	}
	for key, p := range f.observe() {
		if len(p.Live) != 1 || !p.Live[0].Foreign {
			t.Errorf("%s: %+v", key, p.Live)
		}
	}
	if plan := f.plan(); !plan.Empty() || len(plan.Consents) > 0 {
		t.Errorf("it plans\n%s", plan)
	}
}

// TestTakeoverWakesItsAppOnly: the engine tells of every volume and container
// that is made, too, and that is nobody's business.
func TestTakeoverWakesItsAppOnly(t *testing.T) {
	web := map[string]string{labelProject: "shop"}
	for _, c := range []struct {
		kind   events.Type
		action events.Action
		id     string
		labels map[string]string
		app    string
		ok     bool
	}{
		{events.VolumeEventType, events.ActionCreate, "syncd-owner-shop.1", nil, "shop", true},
		{events.VolumeEventType, events.ActionDestroy, "syncd-owner-shop.1", nil, "shop", true},
		{events.VolumeEventType, events.ActionCreate, "shop_data", nil, "", false},
		{events.VolumeEventType, events.ActionDestroy, "shop_data", nil, "", true},
		{events.NetworkEventType, events.ActionCreate, "1234", nil, "", false},
		{events.ContainerEventType, events.ActionCreate, "1234", web, "", false},
		{events.ContainerEventType, events.ActionDie, "1234", web, "shop", true},
	} {
		m := events.Message{Type: c.kind, Action: c.action, Actor: events.Actor{ID: c.id, Attributes: c.labels}}
		if app, ok := new(Engine).projectOf(t.Context(), m, map[string]string{}); app != c.app || ok != c.ok {
			t.Errorf("%s %s %s wakes %q, %t; want %q, %t", c.kind, c.action, c.id, app, ok, c.app, c.ok)
		}
	}
}

// An agent without a name is alone, and one that adopts sees what will be.
func TestTitles(t *testing.T) {
	for _, c := range []struct {
		owner, agent string
		want         title
	}{{"", "a", untitled}, {"a", "a", held}, {"b", "a", lost}, {"b", "", untitled}} {
		if got := (ownerMark{agent: c.owner}).title(c.agent); got != c.want {
			t.Errorf("%q has by a mark of %q %d, want %d", c.agent, c.owner, got, c.want)
		}
	}
	s := &snapshot{project: "shop", owner: ownerMark{app: "shop", agent: "b", number: 3}, title: lost}
	if !s.adopting(apply.Owned{Adopted: []resource.Ref{{ID: "syncd-owner-shop.4"}}}) || s.adopting(apply.Owned{Adopted: []resource.Ref{{ID: "syncd-owner-shop.3"}}}) {
		t.Error("only the next mark looks ahead")
	}
}

func FuzzMarkName(f *testing.F) {
	f.Add("shop", 1)
	f.Add("shop.1", 12)
	f.Add("-.", 1)
	f.Fuzz(func(t *testing.T, app string, number int) {
		m, ok := parseMark(ownerMark{app: app, number: number}.String())
		if want := app != "" && number > 0; ok != want || ok && (m.app != app || m.number != number) {
			t.Fatalf("mark %d of %q was read as %+v, %t", number, app, m, ok)
		}
	})
}

// agent is the fixture's project as another agent sees it.
func (f *fixture) agent(id string) *fixture {
	f.Helper()
	engine, err := Open(f.ctx, Options{Version: "test", Agent: id})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := engine.Close(); err != nil {
			f.Error(err)
		}
	})
	return &fixture{TB: f.TB, ctx: f.ctx, api: f.api, engine: engine, target: engine.Target(f.project), project: f.project, anonymous: f.anonymous}
}

func TestOneOfManyWhoTakeOverAtOnceHasIt(t *testing.T) {
	f := newFixture(t)
	const many = 8
	agents := make([]*fixture, many)
	for i := range agents {
		agents[i] = f.agent("agent" + strconv.Itoa(i))
	}
	for round := range 3 {
		errs := make([]error, many)
		var all sync.WaitGroup
		for i, a := range agents {
			all.Go(func() { errs[i] = a.engine.TakeOver(f.ctx, f.project) })
		}
		all.Wait()
		marks, err := f.engine.marks(f.ctx, f.project)
		if err != nil || len(marks) != 1 {
			t.Fatalf("round %d: the marks are %v, %v; want one", round, marks, err)
		}
		for i, a := range agents {
			_, err := a.target.Observe(f.ctx, nil, apply.Owned{App: f.project})
			has := marks[0].agent == a.engine.opts.Agent
			if has != (err == nil) || err != nil && fault.Of(err) != fault.Blocked {
				t.Errorf("round %d: %s has it: %t, and observes %v", round, a.engine.opts.Agent, has, err)
			}
			if has && errs[i] != nil {
				t.Errorf("round %d: the one who has it was told %v", round, errs[i])
			}
		}
	}
}

// TestTakenOverInMidRollout: what was observed before is no reason to touch it.
func TestTakenOverInMidRollout(t *testing.T) {
	f := newFixture(t)
	image := dockertest.Image(t, "", imageLines...)
	a, b := f.agent("a"), f.agent("b")
	web, network, data := a.container(image, "web", 1, nil), a.network("front", nil), a.volume("data", nil)
	ref := a.put(web)
	a.observe(web, network, data)
	if err := b.engine.TakeOver(f.ctx, f.project); err != nil {
		t.Fatal(err)
	}
	refused := map[string]error{
		"stop":   a.target.Stop(f.ctx, web.Key, ref),
		"remove": a.target.Remove(f.ctx, web.Key, ref),
	}
	for _, o := range []resource.Object{web, network, data} {
		_, refused["put "+o.Key.Kind] = a.target.Put(f.ctx, o)
	}
	for what, err := range refused {
		if fault.Of(err) != fault.Blocked {
			t.Errorf("%s: %v (%s), want blocked", what, err, fault.Of(err))
		}
	}
	p := b.observe(web, network, data)
	if live := p[web.Key].Live; len(live) != 1 || live[0].Foreign || !live[0].Running || len(p[network.Key].Live)+len(p[data.Key].Live) != 0 {
		t.Errorf("the owner sees %+v", p)
	}
	if err := b.target.Remove(f.ctx, web.Key, ref); err != nil {
		t.Error(err)
	}
}

// What is stopped steps aside for a name, but only for whoever may touch it.
func TestOnlyOurOwnStepsAsideForAName(t *testing.T) {
	f := newFixture(t)
	image := dockertest.Image(t, "")
	fixed := func(c *spec.Container) { c.Name = f.project + "-fixed" }
	a, b := f.agent("a"), f.agent("b")
	old := a.container(image, "old", 1, fixed)
	ref := a.put(old)
	if err := a.target.Stop(f.ctx, old.Key, ref); err != nil {
		t.Fatal(err)
	}
	if _, err := b.target.Put(f.ctx, b.container(image, "new", 1, fixed)); fault.Of(err) != fault.Rejected || !strings.Contains(err.Error(), "not ours") {
		t.Errorf("another agent put over it: %v (%s)", err, fault.Of(err))
	}
	if name := f.inspect(ref.ID).Name; name != "/"+f.project+"-fixed" {
		t.Errorf("another agent renamed it to %s", name)
	}
	next := a.put(a.container(image, "new", 1, fixed))
	if name := f.inspect(next.ID).Name; name != "/"+f.project+"-fixed" {
		t.Errorf("its owner's next one is called %s", name)
	}
}

// TestMarkCostsNoCall, and is no difference, neither to its owner nor to who has
// no name.
func TestMarkCostsNoCall(t *testing.T) {
	f := newFixture(t)
	a := f.agent("a")
	calls := func(f *fixture) int64 {
		t.Helper()
		before := f.engine.Calls()
		if p := f.observe(); len(p) != 0 {
			t.Errorf("observed %v, want nothing", p)
		}
		return f.engine.Calls() - before
	}
	calls(f)
	calls(a)
	want := calls(f)
	if err := a.engine.TakeOver(f.ctx, f.project); err != nil {
		t.Fatal(err)
	}
	if n, m := calls(a), calls(f); n != want || m != want {
		t.Errorf("an observation made %d calls, and %d without a name, want %d", n, m, want)
	}
	if err := a.engine.HandBack(f.ctx, f.project); err != nil {
		t.Fatal(err)
	}
	if marks, err := a.engine.marks(f.ctx, f.project); err != nil || len(marks) != 0 {
		t.Errorf("handed back, the marks are %v, %v", marks, err)
	}
}

// A rollout under way is refused its next put of a route, too.
func TestWhoLostAnAppRoutesNothing(t *testing.T) {
	f := newFixture(t)
	a, b := f.agent("a"), f.agent("b")
	route := f.object(resource.Key{Kind: spec.KindRoute, Namespace: "web", Name: "1"}, "web", spec.Route{Service: "web", Mode: "tcp", Port: spec.Port{Published: "1", Target: 1, Protocol: "tcp"}})
	if err := b.engine.TakeOver(f.ctx, f.project); err != nil {
		t.Fatal(err)
	}
	if _, err := a.target.Route(f.ctx, route, apply.Traffic{Hold: true}); fault.Of(err) != fault.Blocked {
		t.Errorf("it ended with %v, want it blocked", err)
	}
	if gates, err := b.engine.Gates(f.ctx, f.project, false); err != nil || len(gates) != 0 {
		t.Errorf("there are %v, %v", gates, err)
	}
}
