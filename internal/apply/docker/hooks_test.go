package docker

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// hook runs the test program in the container, as root.
func hook(args ...string) []spec.Hook {
	return []spec.Hook{{Command: append([]string{"/app"}, args...), User: "0"}}
}

// hooked is a service with a volume at /data that survives it.
func (f *fixture) hooked(change func(*spec.Container)) resource.Object {
	f.put(f.volume("data", nil))
	return f.container(dockertest.Image(f, ""), "web", 1, func(c *spec.Container) {
		c.Mounts = []spec.Mount{{Type: "volume", Source: f.project + "_data", Target: "/data"}}
		change(c)
	})
}

// kept is a file in that volume as this host has it.
func (f *fixture) kept(name string) string {
	v, err := f.engine.inspectVolume(f.ctx, f.project+"_data")
	if err != nil {
		f.Fatal(err)
	}
	return filepath.Join(v.Mountpoint, name)
}

func (f *fixture) there(name string) bool {
	_, err := os.Stat(f.kept(name))
	return err == nil
}

// An agent that is killed while a post_start hook runs leaves a container that
// runs, and looks like what is wanted. Another agent must not take it for that.
func TestPostStartHookThatWasCutShortRunsAgain(t *testing.T) {
	f := newFixture(t)
	o := f.hooked(func(c *spec.Container) {
		c.PostStart = slices.Concat(hook("-write", "/data/begun", "-exit", "0", "-exit-after", "1s"), hook("-write", "/data/ended", "-exit", "0"))
	})
	cut := func(when string) {
		ctx, cancel := context.WithCancel(f.ctx)
		defer cancel()
		put := make(chan error, 1)
		go func() {
			_, err := f.target.Put(ctx, o)
			put <- err
		}()
		dockertest.Eventually(t, "its first hook", func() bool { return f.there("begun") })
		cancel()
		if err := <-put; !errors.Is(err, context.Canceled) {
			t.Fatalf("%s: cut short, it ends with %v", when, err)
		}
		f.target = f.engine.Target(f.project)
		pair := f.observe(o)[o.Key]
		report := drift.Compare([]resource.Pair{pair}, drift.Options{})
		if found := report.Findings[0]; found.Class != drift.Modified || found.Match == drift.None || len(pair.Live) != 1 {
			t.Errorf("%s: what is there counts as %s", when, report)
		}
		for _, name := range []string{"begun", "ended"} {
			if err := os.Remove(f.kept(name)); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
		}
		if ref := f.put(o); ref != pair.Live[0].Ref || !f.there("begun") || !f.there("ended") {
			t.Errorf("%s: put again, the hooks ran %t, %t, on the same one %t", when, f.there("begun"), f.there("ended"), ref == pair.Live[0].Ref)
		}
		f.inSync(o, f.volume("data", nil))
		if err := os.Remove(f.kept("begun")); err != nil {
			t.Fatal(err)
		}
	}
	cut("made")
	if err := f.target.Stop(f.ctx, o.Key, f.only(o.Key)); err != nil {
		t.Fatal(err)
	}
	cut("started again")
	if f.put(o); f.there("begun") {
		t.Error("what has started well ran its hook again")
	}
}

// While another instance has the resting name, the new one has one of its own.
func TestPostStartHookBesideTheOldOne(t *testing.T) {
	f := newFixture(t)
	old := f.put(f.hooked(func(*spec.Container) {}))
	o := f.hooked(func(c *spec.Container) { c.PostStart = hook("-write", "/data/began", "-exit", "0") })
	ref := f.put(o)
	if name := f.inspect(ref.ID).Name; !strings.HasPrefix(name, "/"+f.project+"-web-1.new-") || strings.Contains(name, starting) || !f.there("began") {
		t.Errorf("it is called %s, and its hook ran: %t", name, f.there("began"))
	}
	if err := f.target.Remove(f.ctx, o.Key, old); err != nil {
		t.Fatal(err)
	}
	f.put(o)
	f.inSync(o, f.volume("data", nil))
}

func TestFailingPostStartHookIsUnhealthy(t *testing.T) {
	for name, c := range map[string]struct {
		hooks []spec.Hook
		want  string
	}{
		"it fails":          {hook("-say", "no luck", "-exit", "7"), "post_start hook 1: exit 7: no luck"},
		"the second fails":  {slices.Concat(hook("-exit", "0"), hook("-exit", "7")), "post_start hook 2: exit 7"},
		"it hangs":          {hook("-exit", "0", "-exit-after", "1h"), "post_start hook 1: has not ended after 1s"},
		"there is none":     {[]spec.Hook{{Command: []string{"/nothing"}}}, "post_start hook 1: "},
		"nobody may run it": {[]spec.Hook{{Command: []string{"/app"}, User: "nobody-knows-whom"}}, "post_start hook 1: "},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			if strings.Contains(c.want, "1s") {
				f.engine.limits.hook = time.Second
			}
			o := f.hooked(func(s *spec.Container) {
				s.PostStart, s.Restart = c.hooks, spec.RestartPolicy{Name: "always"}
			})
			_, err := f.target.Put(f.ctx, o)
			if fault.Of(err) != fault.Unhealthy || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("class %v: %v, want %q", fault.Of(err), err, c.want)
			}
			in := f.inspect(f.only(o.Key).ID)
			if in.State.Running || in.HostConfig.RestartPolicy.Name != "no" || in.Name != "/"+f.project+"-web-1" {
				t.Errorf("it is left %s with restart %s as %s", in.State.Status, in.HostConfig.RestartPolicy.Name, in.Name)
			}
		})
	}
}

// Whatever a pre_stop hook does, what has to go goes, and in its time.
func TestPreStopHookKeepsNothingFromStopping(t *testing.T) {
	for name, c := range map[string]struct {
		hooks []spec.Hook
		want  string
	}{
		"it fails":          {hook("-exit", "7", "-say", "hunter2"), "pre_stop hook 1: exit 7: " + resource.Mask},
		"it hangs":          {hook("-exit", "0", "-exit-after", "1h"), "pre_stop hook 1: has not ended after 1s"},
		"there is none":     {[]spec.Hook{{Command: []string{"/nothing"}}}, "pre_stop hook 1: "},
		"nobody may run it": {[]spec.Hook{{Command: []string{"/app"}, User: "nobody-knows-whom"}}, "pre_stop hook 1: "},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			var told []string
			f.engine.opts.Ignored = func(err error) { told = append(told, err.Error()) }
			f.engine.limits.stop = dockertest.Limit
			if strings.Contains(c.want, "1s") {
				f.engine.limits.stop = time.Second
			}
			o := f.hooked(func(s *spec.Container) {
				s.PreStop, s.Environment = c.hooks, map[string]string{"DB_PASSWORD": "hunter2"}
			})
			ref := f.put(o)
			if err := f.target.Stop(f.ctx, o.Key, ref); err != nil {
				t.Fatalf("class %v: %v", fault.Of(err), err)
			}
			if f.inspect(ref.ID).State.Running || len(told) != 1 || !strings.Contains(told[0], c.want) || !strings.Contains(told[0], f.project+"-web-1") {
				t.Errorf("it runs: %t; told %q, want %q", f.inspect(ref.ID).State.Running, told, c.want)
			}
		})
	}
}

// A hook's command and what it says may hold any secret of the container.
func TestHooksTellNoSecret(t *testing.T) {
	f := newFixture(t)
	o := f.hooked(func(c *spec.Container) {
		c.Environment = map[string]string{"DB_PASSWORD": "from-the-environment"}
		c.PostStart = hook("-exit", "7", "-say", "from-the-environment from-a-flag from-a-word from-its-own public", "-version", "from-a-word", "-write", "from-a-flag")
		c.PostStart[0].Environment = map[string]string{"API_TOKEN": "from-its-own"}
	})
	o.Sensitive = []string{"/post_start/0/command/6", "/post_start/0/command/8"}
	_, err := f.target.Put(f.ctx, o)
	if err == nil || strings.Contains(err.Error(), "from-") || !strings.Contains(err.Error(), "public") {
		t.Errorf("it says %v", err)
	}
	if _, err := f.api.ContainerInspect(f.ctx, f.project+"-web-1"); err != nil {
		t.Error(err)
	}
}

// A program that has closed its output is waited for all the same.
func TestHookIsWaitedForWhateverItSays(t *testing.T) {
	f := newFixture(t)
	ref := f.put(f.hooked(func(*spec.Container) {}))
	made, err := f.api.ContainerExecCreate(f.ctx, ref.ID, container.ExecOptions{Cmd: []string{"/app", "-exit", "5", "-exit-after", "1s"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.api.ContainerExecStart(f.ctx, made.ID, container.ExecStartOptions{Detach: true}); err != nil {
		t.Fatal(err)
	}
	if code, err := f.engine.exitCode(f.ctx, made.ID); err != nil || code != 5 {
		t.Errorf("it ended with %d, %v", code, err)
	}
}
