package kube_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"syncd.io/syncd/internal/reconcile"
)

const rivals = "kubernetes: {namespace: SPACE}\nrollout: {soak: 0s, timeout: 40s}\n"

// Two apps that want one object do not fight over it: the one that has it keeps it,
// and the other is told both names.
func TestTwoAppsCannotHaveOneObject(t *testing.T) {
	p := newPlace(t)
	p.deployed(settingsMap)
	before := p.live("configmaps", "settings")
	p.place("copy/.syncd.yaml", rivals)
	p.deployApp("copy", strings.Replace(settingsMap, "blue", "red", 1), strings.Replace(settingsMap, "settings", "own", 1))
	results := p.syncAll("copy", shop)
	p.wantOutcome(results[0], reconcile.Blocked, "ConfigMap/"+p.namespace+"/settings", "app copy", "app shop")
	p.wantOutcome(results[1], reconcile.Unchanged)
	if now := p.live("configmaps", "settings"); field(now, "metadata", "resourceVersion") != field(before, "metadata", "resourceVersion") {
		t.Error("the object was touched")
	}
	if p.live("configmaps", "own") != nil {
		t.Error("a part of the blocked app was put")
	}
	p.deployApp("copy", strings.Replace(settingsMap, "settings", "own", 1))
	p.wantOutcome(p.syncAll("copy")[0], reconcile.Applied)
}

// Of two apps that are new in the same commit one gets the object, whichever asks
// first, and keeps it.
func TestTwoNewAppsThatWantOneObjectDoNotFight(t *testing.T) {
	p := newPlace(t)
	p.place("copy/.syncd.yaml", rivals)
	p.place("copy/manifests.yaml", strings.Replace(settingsMap, "blue", "red", 1))
	p.deploy(settingsMap)
	first := outcomes(p.syncAll("copy", shop))
	if !slices.Contains(first, reconcile.Applied) || !slices.Contains(first, reconcile.Blocked) {
		t.Fatalf("they ended %v, want one applied and one blocked", first)
	}
	before := p.live("configmaps", "settings")
	p.syncAll("copy", shop)
	if now := p.live("configmaps", "settings"); field(now, "metadata", "resourceVersion") != field(before, "metadata", "resourceVersion") {
		t.Error("the object was touched by the second pass")
	}
}

func outcomes(results []reconcile.Result) []reconcile.Outcome {
	var out []reconcile.Outcome
	for _, r := range results {
		out = append(out, r.Outcome)
	}
	return out
}

// An object that moves from one app to another in one commit is handed over,
// whichever of the two passes first, and never deleted.
func TestAnObjectThatMovesBetweenAppsIsHandedOver(t *testing.T) {
	for name, order := range map[string][]string{
		"the heir passes first":      {"heir", shop},
		"the old owner goes first":   {shop, "heir"},
		"both pass at the same time": nil,
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			p.place("heir/.syncd.yaml", rivals)
			p.place("heir/manifests.yaml", strings.Replace(settingsMap, "settings", "own", 1))
			p.deploy(settingsMap, web)
			for _, res := range p.syncAll("heir", shop) {
				p.wantOutcome(res, reconcile.Applied)
			}
			before := p.live("deployments", "web")
			p.place("heir/manifests.yaml", strings.Replace(settingsMap, "settings", "own", 1)+"\n---"+web)
			p.deploy(settingsMap)
			if order == nil {
				p.syncAll("heir", shop)
			}
			for _, app := range order {
				if res := p.syncAll(app)[0]; res.Outcome.ExitCode() != 0 {
					t.Errorf("app %s ended %s: %s", app, res.Outcome, res.Reason)
				}
			}
			after := p.live("deployments", "web")
			if uid(after) != uid(before) || field(after, "metadata", "generation") != field(before, "metadata", "generation") {
				t.Fatalf("the object was not handed over as it is: UID %v, was %v\n%s", uid(after), uid(before), p.story())
			}
			if app := field(after, "metadata", "labels", "syncd.io/app"); app != "heir" {
				t.Errorf("it belongs to %v, want heir", app)
			}
			for _, res := range p.syncAll("heir", shop) {
				p.wantOutcome(res, reconcile.Unchanged)
			}
			p.place("heir/manifests.yaml", strings.Replace(settingsMap, "settings", "own", 1))
			p.merge("the heir gives it up, too")
			p.wantOutcome(p.syncAll("heir")[0], reconcile.Applied)
			if p.live("deployments", "web") != nil {
				t.Error("nobody wants it, and it is still there")
			}
		})
	}
}

// What somebody else made is blocked, with their name, and never touched.
func TestWhatOthersHaveIsLeftToThem(t *testing.T) {
	for name, c := range map[string]struct {
		meta object
		says string
	}{
		"helm": {object{"annotations": object{"meta.helm.sh/release-name": "legacy", "meta.helm.sh/release-namespace": "old"}}, "Helm release old/legacy"},
		"another agent": {object{"labels": object{"app.kubernetes.io/managed-by": "syncd", "syncd.io/app": "site", "syncd.io/agent": "0123"}},
			"app site of syncd (agent 0123)"},
		"kubectl": {object{}, "kubectl"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			p.deployed(strings.Replace(settingsMap, "settings", "first", 1))
			c.meta["name"] = "settings"
			p.do(http.MethodPost, p.path("configmaps", "")+"?fieldManager=kubectl-create", object{"metadata": c.meta, "data": object{"colour": "theirs"}})
			p.deploy(settingsMap, strings.Replace(settingsMap, "settings", "first", 1))
			p.wantOutcome(p.sync(), reconcile.Blocked, "ConfigMap/"+p.namespace+"/settings", c.says)
			if got := field(p.live("configmaps", "settings"), "data", "colour"); got != "theirs" {
				t.Errorf("it says %v now", got)
			}
			p.deployed(strings.Replace(settingsMap, "settings", "first", 1), extra)
			if p.live("configmaps", "settings") == nil {
				t.Error("it was pruned")
			}
		})
	}
}
