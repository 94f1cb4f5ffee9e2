package docker

import (
	"testing"
	"time"

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
