package docker

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// never is a pause that no test waits for.
const never = time.Hour

// goes fails the test unless the instance is stopped soon.
func (f *fixture) goes(key resource.Key, ref resource.Ref) {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.ctx, 20*time.Second)
	defer cancel()
	if err := f.target.Stop(ctx, key, ref); err != nil {
		f.Fatalf("stop: %v", err)
	}
	if in := f.inspect(ref.ID); in.State.Running || in.HostConfig.RestartPolicy.Name != "no" {
		f.Errorf("it is %s with restart %s", in.State.Status, in.HostConfig.RestartPolicy.Name)
	}
}

func TestDrainIsAPauseBetweenThePreStopHooksAndTheStop(t *testing.T) {
	f := newFixture(t)
	o := f.hooked(func(c *spec.Container) {
		c.PreStop, c.Drain = hook("-write", "/data/left", "-exit", "0"), time.Second
	})
	ref := f.put(o)
	f.goes(o.Key, ref)
	left, err := os.Stat(f.kept("left"))
	if err != nil {
		t.Fatal(err)
	}
	ended, err := time.Parse(time.RFC3339Nano, f.inspect(ref.ID).State.FinishedAt)
	if err != nil {
		t.Fatal(err)
	}
	if pause := ended.Sub(left.ModTime()); pause < time.Second {
		t.Errorf("it ended %s after its hook, want a second at least", pause)
	}
	f.goes(o.Key, ref) // once it has ended, nothing waits
}

func TestWhatServesNobodyIsNotDrained(t *testing.T) {
	for name, change := range map[string]func(*spec.Container){
		"never healthy": func(c *spec.Container) {
			c.Environment = map[string]string{"APP_UNHEALTHY": "1"}
			c.Healthcheck = &spec.Healthcheck{Test: []string{"CMD", "/app", "-probe", "http://127.0.0.1:8080/healthz"}, Interval: time.Second}
		},
		"ends by itself": func(c *spec.Container) { // and is not revived
			c.Command = []string{"-exit", "0", "-exit-after", "2s"}
			c.Restart = spec.RestartPolicy{Name: "always"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			o := f.hooked(func(c *spec.Container) {
				c.Drain = never
				change(c)
			})
			f.goes(o.Key, f.put(o))
		})
	}
}

// The drain is the agent's own: what is wanted now counts, for the container that
// was made before too.
func TestAChangedDrainChangesNoContainer(t *testing.T) {
	f := newFixture(t)
	image := dockertest.Image(t, "")
	with := func(d time.Duration) resource.Object {
		return f.container(image, "web", 1, func(c *spec.Container) { c.Drain = d })
	}
	ref := f.put(with(never))
	now := with(0)
	f.inSync(now)
	if again := f.put(now); again != ref {
		t.Error("another container was made")
	}
	f.goes(now.Key, ref)
}

// An instance of a service that nothing wants any more was told its drain when it
// was made, and a drain ends with its context.
func TestDrainOfWhatNothingWants(t *testing.T) {
	f := newFixture(t)
	o := f.hooked(func(c *spec.Container) { c.Drain = never })
	ref := f.put(o)
	if _, err := f.target.Observe(f.ctx, nil, apply.Owned{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(f.ctx, time.Second)
	defer cancel()
	if err := f.target.Remove(ctx, o.Key, ref); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it ended with %v", err)
	}
	if !f.inspect(ref.ID).State.Running {
		t.Error("it was stopped before its time")
	}
}
