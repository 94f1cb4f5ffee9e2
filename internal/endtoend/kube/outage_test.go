package kube_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/kube"
	"syncd.io/syncd/internal/kubetest"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// fallible is a place on a control plane of the test's own, whose API server can be
// taken away.
type fallible struct {
	*place
	cluster *kubetest.Cluster
}

func newFallible(t *testing.T) *fallible {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a control plane")
	}
	t.Parallel()
	c := kubetest.Start(t, kubetest.Options{})
	f := &fallible{placeOn(t, c.Access), c}
	// Controllers that lost the API server try again after up to a minute.
	f.settings(judged + "rollout: {soak: 200ms, timeout: 150s}\n")
	return f
}

// back starts the API server again.
func (f *fallible) back() {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(f.t.Context()), time.Minute)
	defer cancel()
	if err := f.cluster.StartAPIServer(ctx); err != nil {
		f.t.Errorf("start the API server: %v", err)
	}
}

// blameless fails the test where an outage was taken for a fault of the revision.
func (f *fallible) blameless(commit string) {
	f.t.Helper()
	rec := f.record()
	if len(rec.Quarantine) > 0 || rec.Good == nil || rec.Good.Revision.Commit != commit {
		f.t.Errorf("quarantined: %+v; good: %+v; want %s\n%s", rec.Quarantine, rec.Good, commit, f.story())
	}
	for _, e := range f.since(0) {
		if e.Result != nil && slices.Contains([]reconcile.Outcome{reconcile.RolledBack, reconcile.Held, reconcile.Halted, reconcile.Rejected}, e.Result.Outcome) {
			f.t.Errorf("a pass ended %s: %s", e.Result.Outcome, e.Result.Reason)
		}
	}
}

// hooked is a target that calls when something was put.
type hooked struct {
	*kube.Target
	put func(resource.Object)
}

// Put applies an object, after the call.
func (h hooked) Put(ctx context.Context, o resource.Object) (resource.Ref, error) {
	h.put(o)
	return h.Target.Put(ctx, o)
}

// An API server that goes in the midst of a deploy, and comes back, costs time and
// nothing else: nobody is blamed, and what was begun is finished.
func TestTheAPIServerRestartsInMidDeploy(t *testing.T) {
	f := newFallible(t)
	f.deployed(mixed("v1", "well")...)

	var once sync.Once
	var restarted sync.WaitGroup
	defer restarted.Wait() // also where the test fails before
	f.around = func(target *kube.Target) apply.Target {
		return hooked{target, func(o resource.Object) {
			if o.Key.Kind == "Deployment" {
				once.Do(func() {
					f.cluster.KillAPIServer()
					restarted.Go(f.back)
				})
			}
		}}
	}
	commit := f.deploy(mixed("v2", "well")...)
	f.wantOutcome(f.sync(), reconcile.Applied)
	restarted.Wait()
	f.around = nil
	f.holds("killed in mid-apply", "v2", "v1")
	f.blameless(commit)
	f.settled()

	mark := f.mark()
	commit = f.deploy(mixed("v3", "unknown")...) // it waits until somebody says how it feels
	_, stop := f.run()
	f.awaitStep(mark, "ConfigMap/"+f.namespace+"/settings", apply.Waiting)
	f.cluster.StopAPIServer()
	f.back()
	f.edit("configmaps", "settings", object{"data": object{"proven": "yes"}})
	f.awaitOutcome(mark, reconcile.Applied)
	stop()
	f.blameless(commit)
}

// An agent that runs while the API server restarts has missed nothing: what is done
// before it watches again is found, too.
func TestAnAgentThatLostItsWatchesMissesNothing(t *testing.T) {
	f := newFallible(t)
	f.settings("rollout: {soak: 0s, timeout: 60s}\n")
	commit := f.deploy(settingsMap, asleep, webService)
	_, stop := f.run()
	f.awaitOutcome(0, reconcile.Applied)
	for i, do := range []func(){
		func() { f.edit("configmaps", "settings", object{"data": object{"colour": "red"}}) },
		func() { f.do(http.MethodDelete, f.path("services", "web"), nil) },
	} {
		mark := f.mark()
		f.cluster.KillAPIServer()
		f.back()
		do()
		back := time.Now()
		f.await(mark, "the drift is repaired", func(e reconcile.Event) bool {
			return e.Result != nil && e.Result.Outcome == reconcile.Applied && strings.HasPrefix(e.Result.Reason, "repaired drift")
		})
		t.Logf("restart %d: repaired %s after the API server was back", i+1, time.Since(back).Round(time.Millisecond))
		f.eventually("it is as Git says", func() bool {
			return field(f.live("configmaps", "settings"), "data", "colour") == "blue" && f.live("services", "web") != nil
		})
	}
	stop()
	f.blameless(commit)
}

// While the API server is away a pass says so, blames nobody and changes nothing on
// record; a change that came meanwhile arrives when it is back.
func TestWithoutTheAPIServerAPassSaysSo(t *testing.T) {
	f := newFallible(t)
	good := f.deployed(mixed("v1", "well")...)
	a, done := f.agent()
	defer func() { done() }()
	f.cluster.StopAPIServer()
	commit := f.deploy(mixed("v2", "well")...)
	res := f.passOver(a, shop)[0]
	f.wantOutcome(res, reconcile.Unreachable, "connection refused")
	done()
	done = func() {}
	if rec := f.record(); len(rec.Quarantine) > 0 || rec.Good.Revision.Commit != good {
		t.Errorf("the record says %+v", rec)
	}
	if _, _, err := f.tryAgent(); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("an agent that starts without an API server: %v", err)
	}
	f.back()
	f.wantOutcome(f.sync(), reconcile.Applied)
	f.blameless(commit)
}
