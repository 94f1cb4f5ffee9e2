package docker

import (
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/gate"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

func TestAHoldLastsUntilWhoComesNextMayServe(t *testing.T) {
	for name, c := range map[string]struct {
		drain, wait, want time.Duration
	}{
		"a minute to start":   {20 * time.Second, time.Minute, 110 * time.Second},
		"the default's drain": {0, time.Minute, 100 * time.Second},
		"nobody knows":        {20 * time.Second, 0, 50 * time.Second},
		"the gate's own end":  {20 * time.Second, 2 * time.Hour, gate.MaxHoldFor},
	} {
		route := spec.Route{Mode: "tcp", Port: spec.Port{Target: 80}, Drain: c.drain}
		got := nextTable(gate.Table{}, route, apply.Traffic{Hold: true, Wait: resource.Duration(c.wait)}, nil)
		if got.Hold == nil || got.Hold.For.D() != c.want {
			t.Errorf("%s: holds %+v, want for %s", name, got.Hold, c.want)
		}
		if _, err := got.Encode(); err != nil {
			t.Error(err)
		}
	}
}

func TestAHoldEndsWithWhoeverServes(t *testing.T) {
	const id = "0123456789ab"
	route := spec.Route{Mode: "tcp", Port: spec.Port{Target: 80}}
	alive := map[string]bool{id: true}
	held := nextTable(gate.Table{}, route, apply.Traffic{Hold: true, Wait: resource.Duration(time.Minute)}, alive)
	if got := nextTable(held, route, apply.Traffic{}, alive); got.Hold == nil || *got.Hold != *held.Hold {
		t.Errorf("with nobody there, the hold becomes %+v", got.Hold)
	}
	if got := nextTable(held, route, apply.Traffic{In: []resource.Ref{{ID: id}}}, alive); got.Hold != nil {
		t.Errorf("with somebody there, it holds for %s", got.Hold.For)
	}
}

// The plan removes the others: what a put of the route starts is the one it means.
func TestOfGatesThatDoNotRunTheOneOfThePlanIsStarted(t *testing.T) {
	route := resource.Key{Kind: spec.KindRoute, Namespace: "web", Name: "80"}
	gateCalled := func(id string, runs bool) found {
		f := fresh(id)
		f.State = &container.State{Running: runs}
		f.Config = &container.Config{Labels: map[string]string{labelGate: "web/80"}}
		return f
	}
	for _, c := range []struct {
		gates      []found
		this, want string
	}{
		{[]found{gateCalled("new", false), gateCalled("old", false)}, "old", "old"},
		{[]found{gateCalled("old", false), gateCalled("new", false)}, "old", "old"},
		{[]found{gateCalled("old", false), gateCalled("new", true)}, "old", "new"},
		{[]found{gateCalled("new", true), gateCalled("old", false)}, "old", "new"},
		{[]found{gateCalled("new", false), gateCalled("old", false)}, "gone", "new"},
	} {
		if got, there := (&snapshot{gates: c.gates}).gate(route, resource.Ref{ID: c.this}); !there || got.ID != c.want {
			t.Errorf("of %d gates with %s meant, it is %s, want %s", len(c.gates), c.this, got.ID, c.want)
		}
	}
}
