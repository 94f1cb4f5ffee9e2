package docker

import (
	"context"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/mount"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// plan observes and decides, as a pass does.
func (f *fixture) plan(want ...resource.Object) apply.Plan {
	f.Helper()
	pairs, err := f.target.Observe(f.ctx, want, apply.Owned{App: f.project})
	if err != nil {
		f.Fatal(err)
	}
	plan, err := apply.NewPlan(apply.Request{Pairs: pairs, Report: drift.Compare(pairs, drift.Options{}), AwaitAll: true, Prune: true})
	if err != nil {
		f.Fatal(err)
	}
	return plan
}

// rollOut carries a plan out, to its good end.
func (f *fixture) rollOut(plan apply.Plan) {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.ctx, dockertest.Limit)
	defer cancel()
	f.note()
	defer f.note()
	rollout := apply.Rollout{Target: f.target, Stable: 1}
	if out := rollout.Run(ctx, plan); !out.OK() || out.Degraded() {
		f.Fatalf("failed %v, tolerated %v, %v\n%s", out.Failures, out.Tolerated, out.Err, plan)
	}
}

// only returns the one container of a slot.
func (f *fixture) only(key resource.Key) resource.Ref {
	f.Helper()
	live := f.observe()[key].Live
	if len(live) != 1 {
		f.Fatalf("%s has %d instances, want 1", key, len(live))
	}
	return live[0].Ref
}

// read returns a file of a volume of the container.
func (f *fixture) read(ref resource.Ref, file string) string {
	f.Helper()
	for _, m := range f.inspect(ref.ID).Mounts {
		if m.Type == mount.TypeVolume && m.Destination == path.Dir(file) {
			text, err := os.ReadFile(path.Join(m.Source, path.Base(file)))
			if err != nil {
				f.Fatal(err)
			}
			return string(text)
		}
	}
	f.Fatalf("nothing is mounted at %s", path.Dir(file))
	return ""
}

// born writes, when it starts, when the first one of its kind did.
func born(v string) func(*spec.Container) {
	return func(c *spec.Container) {
		c.Environment = map[string]string{"APP_VERSION": v, "APP_WRITE": "/var/data/born"}
	}
}

// A database whose image has a VOLUME: its next instance takes over what the old
// one writes, and must not start while that still does.
func TestAnonymousVolumeHasOneWriter(t *testing.T) {
	f := newFixture(t)
	image := dockertest.Image(t, "", "VOLUME /var/data")
	o := f.container(image, "db", 1, born("1"))
	f.rollOut(f.plan(o))
	was := f.read(f.only(o.Key), "/var/data/born")

	next := f.container(image, "db", 1, born("2"))
	next.Claims = append(make([]resource.Claim, 0, 8), resource.Claim{Kind: resource.ClaimName, Value: "x"})
	plan := f.plan(next)
	if svc := plan.Services[0]; svc.How != apply.HowStopFirst || !strings.HasPrefix(svc.Why, "writer anonymous volume") || !strings.HasSuffix(svc.Why, "at /var/data for db") {
		t.Fatalf("it is replaced %s because of %q\n%s", svc.How, svc.Why, plan)
	}
	if len(next.Claims) != 1 || next.Claims[:2][1] != (resource.Claim{}) {
		t.Error("an observation changed what is wanted")
	}
	f.rollOut(plan)
	if got := f.read(f.only(o.Key), "/var/data/born"); got != was {
		t.Errorf("it was born %q, now %q", was, got)
	}
	f.inSync(next)
}

func TestWhichAnonymousVolumesForbidTwoWriters(t *testing.T) {
	f := newFixture(t)
	plain, volume := dockertest.Image(t, ""), dockertest.Image(t, "", "VOLUME /var/data")
	mounts := func(list ...spec.Mount) func(*spec.Container) {
		return func(c *spec.Container) { c.Mounts = list }
	}
	anonymous, named := spec.Mount{Type: "volume", Target: "/var/data/"}, spec.Mount{Type: "volume", Source: f.project + "_data", Target: "/var/data"}
	tmpfs := func(c *spec.Container) { c.Tmpfs = map[string]string{"/var/data": ""} }
	data := f.volume("data", nil)
	f.put(data)
	for service, c := range map[string]struct {
		old, next   resource.Object
		order       resource.Order
		why         string
		onlyPlanned bool
	}{
		"declared":   {old: f.container(plain, "declared", 1, mounts(anonymous)), why: "anonymous volume"},
		"image":      {old: f.container(volume, "image", 1, nil), why: "anonymous volume"},
		"second":     {old: f.container(volume, "second", 2, nil), why: "anonymous volume"},
		"asked":      {old: f.container(volume, "asked", 1, nil), order: resource.StartFirst},
		"nothing":    {old: f.container(plain, "nothing", 1, nil)},
		"dropped":    {old: f.container(plain, "dropped", 1, mounts(anonymous)), next: f.container(plain, "dropped", 1, version("2"))},
		"covered":    {old: f.container(volume, "covered", 1, nil), next: f.container(volume, "covered", 1, mounts(named))},
		"covered-by": {old: f.container(volume, "covered-by", 1, nil), next: f.container(volume, "covered-by", 1, tmpfs)},
		"not-here": {old: f.container(volume, "not-here", 1, nil), why: "anonymous volume", onlyPlanned: true,
			next: f.container(volume, "not-here", 1, func(c *spec.Container) { c.Image, c.Pin = "127.0.0.1:1/db:2", "" })},
	} {
		t.Run(service, func(t *testing.T) {
			f := *f
			f.TB = t
			f.put(c.old)
			if c.next.Spec == nil {
				change, err := decode[spec.Container](c.old)
				if err != nil {
					t.Fatal(err)
				}
				change.Labels = map[string]string{"a": "b"}
				c.next = f.object(c.old.Key, c.old.Group, change)
			}
			c.next.Policy.Order = c.order
			plan := f.plan(c.next, data)
			i := slices.IndexFunc(plan.Services, func(s apply.Service) bool { return s.Group == service })
			svc := plan.Services[i]
			if stop := svc.How == apply.HowStopFirst; stop != (c.why != "") || !strings.Contains(svc.Why, c.why) {
				t.Errorf("it is replaced %s because of %q, want %q\n%s", svc.How, svc.Why, c.why, plan)
			}
			if !c.onlyPlanned {
				f.put(c.next)
			}
			f.removeAll(c.old.Key)
		})
	}
}

func TestMadeNames(t *testing.T) {
	for name, want := range map[string]bool{
		"shop-web-1": true, "shop_web_1": true, "shop-web-1.new-0123": true, "shop-web-1.new-0123.starting-ab": true,
		"shop-web-12": false, "shop-web-": false, "shop-web": false, "shopweb-1": false, "shop": false, "": false,
		"shop-web-1x": false, "other-web-1": false, "fixed": false,
	} {
		if got := madeName(spec.Container{Name: name, Project: "shop", Service: "web", Number: 1}); got != want {
			t.Errorf("%q is a made name: %t, want %t", name, got, want)
		}
	}
}
