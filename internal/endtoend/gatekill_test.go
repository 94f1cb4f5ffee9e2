package endtoend_test

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"syncd.io/syncd/internal/apply/docker"
	"syncd.io/syncd/internal/reconcile"
)

// upgrading is a host with a gate, and an engine with a newer one's program that
// is reached through a proxy.
type upgrading struct {
	*host
	proxy *proxy
	port  string
	gates []string
	newer *docker.Engine
}

func beforeAnUpgrade(t *testing.T) *upgrading {
	t.Helper()
	u := &upgrading{host: newHost(t), proxy: newProxy(t), port: freePort(t)}
	u.deploy(strings.NewReplacer("PORT", u.port, "MODE", "http", "ORDER", "start-first").Replace(gated))
	u.want(u.sync(), reconcile.Applied)
	u.gates = u.gateContainers()
	newer, err := docker.Open(t.Context(), docker.Options{Host: u.proxy.address, Mounts: filepath.Join(u.state, "mounts"), GateProgram: otherGate(t, "v9"), Version: "v9"})
	u.must(err)
	t.Cleanup(func() { _ = newer.Close() })
	u.newer = newer
	return u
}

// cut renews the gate. Whatever changes something, but for the talk with gates,
// is asked about: cut keeps the call from the engine, end whatever comes after it,
// too.
func (u *upgrading) cut(ask func(call string) (cut, end bool)) error {
	u.t.Helper()
	gates, err := u.newer.Gates(u.t.Context(), u.project, false)
	u.must(err)
	var mu sync.Mutex
	over := false
	u.proxy.spy(func(call string) {
		mu.Lock()
		defer mu.Unlock()
		cut := false
		if !over && !strings.Contains(call, "/exec") && len(changing([]string{call})) > 0 {
			cut, over = ask(call)
		}
		if cut || over {
			panic(http.ErrAbortHandler)
		}
	})
	defer u.proxy.spy(nil)
	_, err = u.newer.RenewGate(u.t.Context(), u.project, gates[0].Ref)
	mu.Lock() // nothing is asked about any more
	defer mu.Unlock()
	over = true
	return err
}

// answers tells whether a request gets through.
func (u *upgrading) answers() error {
	_, err := askOnce(u.port)
	return err
}

func TestAnUpgradeMayBeKilledAtAnyCall(t *testing.T) {
	t.Parallel()
	u := beforeAnUpgrade(t)
	for at, done := 1, false; !done; at++ {
		calls, last := 0, ""
		err := u.cut(func(call string) (bool, bool) {
			calls++
			last = call
			return false, calls == at
		})
		done = calls < at
		t.Logf("killed before call %d (%s): %v", at, last, err)
		res := u.sync()
		if res.Outcome != reconcile.Applied && res.Outcome != reconcile.Unchanged {
			t.Errorf("the next pass ended %s: %s", res.Outcome, res.Reason)
		}
		u.settled()
		if now := u.gateContainers(); !slices.Equal(now, u.gates) {
			t.Errorf("there are %q, and there was %q", now, u.gates)
		}
		if err := u.answers(); err != nil {
			t.Errorf("the port does not answer: %v", err)
		}
		// So many kills within a few minutes look like somebody who changes things back.
		u.act("retry", reconcile.ActRequest{App: u.project, Who: "ann"})
	}
}

// A gate that serves stays, whatever its upgrade comes to.
func TestAnUpgradeThatFailsLateLeavesTheNewGate(t *testing.T) {
	u := beforeAnUpgrade(t)
	updates := 0
	err := u.cut(func(call string) (bool, bool) {
		if !strings.HasSuffix(call, "/update") {
			return false, false
		}
		updates++
		return updates == 3, false // the new one is not to be revived, nor is the old one, and now the new one is
	})
	if err == nil || updates < 3 {
		t.Fatalf("after %d updates it ended with %v", updates, err)
	}
	t.Logf("of %q the upgrade left %q: %v", u.gates, u.gateContainers(), err)
	if err := u.answers(); err != nil {
		t.Errorf("the port does not answer: %v", err)
	}
	u.want(u.sync(), reconcile.Applied)
	u.settled()
	if now := u.gateContainers(); !slices.Equal(now, u.gates) {
		t.Errorf("there are %q, and there was %q", now, u.gates)
	}
}

// A gate that the engine does not stop goes on by its own table, not by that of
// its last moment.
func TestAnUpgradeThatCannotStopTheOldGateLeavesIt(t *testing.T) {
	u := beforeAnUpgrade(t)
	err := u.cut(func(call string) (bool, bool) { return strings.HasSuffix(call, "/stop"), false })
	if err == nil || !strings.Contains(err.Error(), "; the old one goes on") {
		t.Errorf("it ended with %v", err)
	}
	if err := u.answers(); err != nil {
		t.Errorf("the port does not answer: %v", err)
	}
	u.settled()
	if now := u.gateContainers(); !slices.Equal(now, u.gates) {
		t.Errorf("there are %q, and there was %q", now, u.gates)
	}
}
