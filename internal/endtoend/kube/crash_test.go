package kube_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/kube"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// judged lets a ConfigMap say itself how it feels: a deploy fails, or waits, without
// a pod.
const judged = `kubernetes:
  namespace: SPACE
  health:
    ConfigMap: {healthy: "object.data.feels == 'well' || 'proven' in object.data", failed: "object.data.feels == 'ill'"}
`

// feeling is such an object.
func feeling(name, version, feels string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {version: %q, feels: %s}", name, version, feels)
}

// asleep is a workload without pods.
var asleep = strings.Replace(web, "replicas: 2", "replicas: 0", 1)

var errCrash = errors.New("the agent was killed")

// cut ends an agent at its nth change of the cluster: before it where early is true,
// after it, with the answer lost, where not.
type cut struct {
	n     int
	early bool
	kill  context.CancelCauseFunc

	mu      sync.Mutex
	count   int
	reached bool
}

func (c *cut) step(do func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reached { // nothing of a dead process reaches the cluster
		return fault.As(fault.Unreachable, errCrash)
	}
	if c.count++; c.count != c.n {
		return do()
	}
	c.reached = true
	defer c.kill(errCrash)
	if !c.early {
		if err := do(); err != nil {
			return err
		}
	}
	return fault.As(fault.Unreachable, errCrash)
}

// cutTarget is an app's place until then.
type cutTarget struct {
	*kube.Target
	cut *cut
}

// Put applies an object, or not any more.
func (t cutTarget) Put(ctx context.Context, o resource.Object) (ref resource.Ref, err error) {
	err = t.cut.step(func() (err error) {
		ref, err = t.Target.Put(ctx, o)
		return err
	})
	return ref, err
}

// Remove deletes an object, or not any more.
func (t cutTarget) Remove(ctx context.Context, key resource.Key, ref resource.Ref) error {
	return t.cut.step(func() error { return t.Target.Remove(ctx, key, ref) })
}

// cutAt makes a pass that is killed at its nth change, and tells whether it came
// that far.
func (p *place) cutAt(n int, early bool) bool {
	p.t.Helper()
	ctx, kill := context.WithCancelCause(p.t.Context())
	defer kill(nil)
	c := &cut{n: n, early: early, kill: kill}
	p.around = func(t *kube.Target) apply.Target { return cutTarget{t, c} }
	defer func() { p.around = nil }()
	a, done := p.agent()
	defer done()
	_, err := a.Sync(ctx, reconcile.SyncRequest{Apps: []string{shop}}, nil)
	if err != nil && !errors.Is(err, errCrash) && !errors.Is(err, context.Canceled) {
		p.t.Fatal(err)
	}
	return c.reached
}

// mixed is a set with objects that change, come and go: of a version, that feels
// like this.
func mixed(v, feels string) []string {
	return []string{feeling("settings", v, feels), feeling("only-"+v, v, "well"), strings.ReplaceAll(asleep, "app:1", "app:"+v), webService}
}

// holds fails the test unless the objects of a version are there, and no others.
func (p *place) holds(when, v, not string) {
	p.t.Helper()
	if got := field(p.live("configmaps", "settings"), "data", "version"); got != v {
		p.t.Errorf("%s: the configuration is of version %v, want %s", when, got, v)
	}
	if got := image(p.live("deployments", "web")); got != "syncd-test/app:"+v {
		p.t.Errorf("%s: %v runs, want version %s", when, got, v)
	}
	if p.live("configmaps", "only-"+v) == nil || p.live("configmaps", "only-"+not) != nil {
		p.t.Errorf("%s: the objects are not those of version %s alone", when, v)
	}
}

// An agent that is killed at any change of the cluster, before or after it, leaves
// nothing behind that the next one does not finish.
func TestKilledAtEveryStepIsResumed(t *testing.T) {
	for _, early := range []bool{true, false} {
		t.Run(fmt.Sprintf("early %t", early), func(t *testing.T) {
			p := newPlace(t)
			p.settings(judged + "rollout: {soak: 0s, timeout: 20s}\n")
			p.deployed(mixed("v1", "well")...)
			last, n := "v1", 1
			for reached := true; reached; n++ {
				v := fmt.Sprintf("v%d", n+1)
				commit := p.deploy(mixed(v, "well")...)
				reached = p.cutAt(n, early)
				p.wantDone(p.sync(), n)
				p.holds(fmt.Sprintf("killed at change %d", n), v, last)
				if good := p.record().Good.Revision.Commit; good != commit {
					t.Errorf("killed at change %d: %s is good, want %s", n, good, commit)
				}
				p.settled()
				last = v
			}
			if n < 5 {
				t.Fatalf("it was killed %d times only", n-2)
			}
		})
	}
}

func (p *place) wantDone(res reconcile.Result, n int) {
	p.t.Helper()
	if res.Outcome != reconcile.Applied && res.Outcome != reconcile.Unchanged {
		p.t.Fatalf("killed at change %d: the next pass ended %s (%s)\n%s", n, res.Outcome, res.Reason, p.story())
	}
}

// The same where the change fails, on its way there and on its way back.
func TestKilledInAFailingChangeGoesBack(t *testing.T) {
	for _, early := range []bool{true, false} {
		t.Run(fmt.Sprintf("early %t", early), func(t *testing.T) {
			p := newPlace(t)
			p.settings(judged + "rollout: {soak: 0s, timeout: 20s}\n")
			good := p.deployed(mixed("v1", "well")...)
			n := 1
			for reached := true; reached; n++ {
				bad := fmt.Sprintf("b%d", n)
				p.deploy(mixed(bad, "ill")...)
				reached = p.cutAt(n, early)
				if res := p.sync(); res.Outcome != reconcile.RolledBack && res.Outcome != reconcile.Held {
					t.Fatalf("killed at change %d: the next pass ended %s (%s)\n%s", n, res.Outcome, res.Reason, p.story())
				}
				p.wantOutcome(p.sync(), reconcile.Held)
				p.holds(fmt.Sprintf("killed at change %d", n), "v1", bad)
				if got := p.record().Good.Revision.Commit; got != good {
					t.Errorf("killed at change %d: %s is good, want %s", n, got, good)
				}
			}
			if n < 5 { // two changes on the way there, two on the way back
				t.Fatalf("it was killed %d times only", n-2)
			}
		})
	}
}
