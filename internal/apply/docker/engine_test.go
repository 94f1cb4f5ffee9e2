package docker

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// fixture is one project on the real engine.
type fixture struct {
	testing.TB
	ctx     context.Context
	api     *client.Client
	engine  *Engine
	target  *Target
	project string
	// anonymous are volumes that no name tells to be of the project.
	anonymous map[string]bool
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	api := dockertest.Client(t)
	engine, err := Open(t.Context(), Options{Version: "test"})
	if err != nil {
		t.Fatalf("open engine: %v", err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	anonymous := map[string]bool{}
	t.Cleanup(func() { // once the project's containers are gone
		for name := range anonymous {
			if err := api.VolumeRemove(context.Background(), name, true); err != nil && !cerrdefs.IsNotFound(err) {
				t.Errorf("clean up: %v", err)
			}
		}
	})
	project := dockertest.Project(t)
	return &fixture{TB: t, ctx: t.Context(), api: api, engine: engine, target: engine.Target(project), project: project, anonymous: anonymous}
}

// note remembers the anonymous volumes that the project has now: when what they
// belong to has been replaced, nothing leads to them.
func (f *fixture) note() {
	f.Helper()
	for _, c := range dockertest.Containers(f, f.api, f.project) {
		for _, m := range c.Mounts {
			if m.Type == "volume" && len(m.Name) == 64 {
				f.anonymous[m.Name] = true
			}
		}
	}
}

// container returns a service's container, pinned; change may be nil.
func (f *fixture) container(image, service string, number int, change func(*spec.Container)) resource.Object {
	f.Helper()
	c := spec.Container{
		Name: f.project + "-" + service + "-" + strconv.Itoa(number), Project: f.project, Service: service, Number: number,
		Image: image, Pin: dockertest.ImageID(f, image), Restart: spec.RestartPolicy{Name: "no"},
	}
	zero := time.Duration(0)
	c.StopGrace = &zero
	if change != nil {
		change(&c)
	}
	return f.object(slotKey(service, strconv.Itoa(number)), service, c)
}

func (f *fixture) object(key resource.Key, group string, v any) resource.Object {
	f.Helper()
	raw, err := resource.Canonical(v)
	if err != nil {
		f.Fatal(err)
	}
	return resource.Object{Key: key, Group: group, Spec: raw}
}

func (f *fixture) network(key string, change func(*spec.Network)) resource.Object {
	n := spec.Network{Name: f.project + "_" + key}
	if change != nil {
		change(&n)
	}
	return f.object(resource.Key{Kind: spec.KindNetwork, Name: key}, "", n)
}

func (f *fixture) volume(key string, change func(*spec.Volume)) resource.Object {
	v := spec.Volume{Name: f.project + "_" + key}
	if change != nil {
		change(&v)
	}
	return f.object(resource.Key{Kind: spec.KindVolume, Name: key}, "", v)
}

func (f *fixture) put(o resource.Object) resource.Ref {
	f.Helper()
	ref, err := f.target.Put(f.ctx, o)
	if err != nil {
		f.Fatalf("put %s: %v", o.Key, err)
	}
	if o.Key.Kind == spec.KindContainer {
		f.note()
	}
	return ref
}

func (f *fixture) observe(want ...resource.Object) map[resource.Key]resource.Pair {
	f.Helper()
	pairs, err := f.target.Observe(f.ctx, want, apply.Owned{App: f.project})
	if err != nil {
		f.Fatalf("observe: %v", err)
	}
	out := map[resource.Key]resource.Pair{}
	for _, p := range pairs {
		out[p.Key] = p
	}
	return out
}

// diff returns the pointers of the leaves in which two specs differ.
func diff(t testing.TB, a, b json.RawMessage) []string {
	t.Helper()
	var x, y any
	for raw, v := range map[*json.RawMessage]*any{&a: &x, &b: &y} {
		if err := json.Unmarshal(*raw, v); err != nil {
			t.Fatal(err)
		}
	}
	out := walk("", x, y)
	slices.Sort(out)
	return out
}

func walk(at string, a, b any) []string {
	x, okX := a.(map[string]any)
	y, okY := b.(map[string]any)
	if !okX || !okY {
		if fmt.Sprint(a) == fmt.Sprint(b) {
			return nil
		}
		return []string{at}
	}
	var out []string
	for k := range x {
		out = append(out, walk(at+"/"+k, x[k], y[k])...)
	}
	for k := range y {
		if _, both := x[k]; !both {
			out = append(out, walk(at+"/"+k, nil, y[k])...)
		}
	}
	return out
}

// drifts returns the differences of the only instance of o.
func (f *fixture) drifts(o resource.Object, others ...resource.Object) []string {
	f.Helper()
	p := f.observe(append(others, o)...)[o.Key]
	if len(p.Live) != 1 {
		f.Fatalf("%s has %d instances, want 1", o.Key, len(p.Live))
	}
	return diff(f, p.Stored, p.Live[0].Spec)
}

func (f *fixture) inSync(o resource.Object, others ...resource.Object) {
	f.Helper()
	p := f.observe(append(others, o)...)[o.Key]
	if len(p.Live) != 1 {
		f.Fatalf("%s has %d instances, want 1", o.Key, len(p.Live))
	}
	if string(p.Stored) != string(p.Live[0].Spec) {
		f.Errorf("%s differs in %s\nstored %s\nlive   %s", o.Key, strings.Join(diff(f, p.Stored, p.Live[0].Spec), " "), p.Stored, p.Live[0].Spec)
	}
}

// removeAll removes every container of a slot, even when the test failed.
func (f *fixture) removeAll(key resource.Key) {
	f.Helper()
	for _, in := range dockertest.Containers(f, f.api, f.project) {
		if slot, ok := slotOf(in.Config.Labels); ok && slot == key {
			if err := f.api.ContainerRemove(context.Background(), in.ID, container.RemoveOptions{Force: true, RemoveVolumes: true}); err != nil {
				f.Error(err)
			}
		}
	}
}

// freePort publishes a loopback port that nobody has.
func freePort(t testing.TB) spec.Port {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return spec.Port{HostIP: "127.0.0.1", Published: port, Target: 8080, Protocol: "tcp"}
}

type errorText string

func (e errorText) Error() string { return string(e) }

func mkdir(path string) error { return os.MkdirAll(path, 0o755) }

func discard() *log.Logger { return log.New(io.Discard, "", 0) }

func basic(user, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
}
