package kube_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
)

// quick is the settings of a test in which nothing takes long.
const quick = "rollout: {soak: 0s, timeout: 20s}\n"

// goesOn fails the test unless the good revision is what is there, and a fix arrives.
func (p *place) goesOn(good string, fixed ...string) {
	p.t.Helper()
	if got := field(p.live("configmaps", "settings"), "data", "colour"); got != "blue" {
		p.t.Errorf("the configuration says %v, want that of the good revision", got)
	}
	if got := image(p.live("deployments", "web")); got != "syncd-test/app:1" {
		p.t.Errorf("%v runs, want that of the good revision", got)
	}
	if rec := p.record(); rec.Good == nil || rec.Good.Revision.Commit != good {
		p.t.Errorf("the record says that %+v is good", rec.Good)
	}
	if p.live("configmaps", "extra") != nil {
		p.t.Error("a part of the bad change is left")
	}
	p.deployed(append(fixed, strings.Replace(settingsMap, "blue", "green", 1))...)
	p.settled()
}

// What the repository asks for and the cluster does not take is named with object and
// field, quarantined, and touches nothing.
func TestWhatTheClusterDoesNotTakeIsRejected(t *testing.T) {
	red := strings.Replace(settingsMap, "blue", "red", 1)
	for name, c := range map[string]struct {
		change []string
		words  []string
	}{
		"invalid manifest":   {[]string{red, asleep, "apiVersion: v1\nkind: [ConfigMap\n"}, []string{"shop/manifests.yaml"}},
		"no name":            {[]string{red, asleep, "apiVersion: v1\nkind: ConfigMap\nmetadata: {}"}, []string{"shop/manifests.yaml", "name"}},
		"unknown kind":       {[]string{red, strings.Replace(asleep, "kind: Deployment", "kind: Deploymnt", 1), asleep}, []string{"Deploymnt", "did you mean Deployment?"}},
		"missing definition": {[]string{red, asleep, "apiVersion: gadgets.example.org/v1\nkind: Gadget\nmetadata: {name: one}"}, []string{"Gadget", "CustomResourceDefinition"}},
		"old version":        {[]string{red, asleep, "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: one}"}, []string{"CronJob/SPACE/one", "batch/v1"}},
		"unknown field":      {[]string{red, extra, strings.Replace(asleep, "replicas:", "replicsa:", 1)}, []string{"Deployment/SPACE/web", "replicsa"}},
		"unknown field of a new object": {[]string{red, asleep, extra, "apiVersion: v1\nkind: Service\nmetadata: {name: new}\nspec: {portz: []}"},
			[]string{"Service/SPACE/new", "portz"}},
		"invalid value":       {[]string{red, extra, strings.Replace(asleep, "replicas: 0", "replicas: -1", 1)}, []string{"Deployment/SPACE/web", "spec.replicas"}},
		"a new invalid value": {[]string{red, asleep, extra, strings.Replace(webService, "port: 80,", "port: 99999,", 1)}, []string{"Service/SPACE/web", "spec.ports[0].port"}},
		"too big": {[]string{red, asleep, extra, strings.Replace(settingsMap, "settings}\ndata: {colour: blue}", "big}\ndata: {text: "+strings.Repeat("x", 1600<<10)+"}", 1)},
			[]string{"ConfigMap big", "1638513 bytes"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			p.settings(quick)
			good := p.deployed(settingsMap, asleep)
			p.deploy(c.change...)
			res := p.sync()
			t.Logf("%s: %.300s; hint: %s", res.Outcome, res.Reason, res.Hint)
			if res.Outcome != reconcile.Rejected && res.Outcome != reconcile.RolledBack {
				t.Errorf("it ended %s", res.Outcome)
			}
			for _, word := range c.words {
				if word = strings.ReplaceAll(word, "SPACE", p.namespace); !strings.Contains(res.Reason+"\n"+res.Hint, word) {
					t.Errorf("%q is missing in %.600s; hint: %s", word, res.Reason, res.Hint)
				}
			}
			mark := p.mark()
			if again := p.sync(); again.Outcome == reconcile.Applied || again.Outcome == reconcile.Unchanged {
				t.Errorf("the next pass ended %s", again.Outcome)
			}
			p.untouchedSince(mark)
			p.goesOn(good, asleep)
		})
	}
}

// An app that is applied as a ServiceAccount can do only what that may.
func TestWhatTheAccountMayNotIsBlocked(t *testing.T) {
	p := newPlace(t)
	verbs := []any{"get", "list", "watch", "create", "patch", "update", "delete"}
	p.do(http.MethodPost, p.path("serviceaccounts", ""), object{"metadata": object{"name": "deployer"}})
	p.do(http.MethodPost, p.path("roles", ""), object{"metadata": object{"name": "deployer"}, "rules": []any{
		object{"apiGroups": []any{""}, "resources": []any{"configmaps"}, "verbs": verbs},
		object{"apiGroups": []any{"apps"}, "resources": []any{"deployments", "replicasets"}, "verbs": verbs},
	}})
	p.do(http.MethodPost, p.path("rolebindings", ""), object{
		"metadata": object{"name": "deployer"},
		"roleRef":  object{"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "deployer"},
		"subjects": []any{object{"kind": "ServiceAccount", "name": "deployer", "namespace": p.namespace}},
	})
	p.settings("kubernetes: {namespace: SPACE, serviceAccount: deployer}\n" + quick)
	good := p.deployed(settingsMap, asleep)
	p.deploy(strings.Replace(settingsMap, "blue", "red", 1), asleep, webService)
	p.wantOutcome(p.sync(), reconcile.Blocked, "services", "system:serviceaccount:"+p.namespace+":deployer", "Role", "kubernetes.serviceAccount")
	if p.live("services", "web") != nil {
		t.Error("it was made in the agent's own name")
	}
	p.goesOn(good, asleep)
}

func TestAQuotaThatIsExceededGoesBack(t *testing.T) {
	p := newPlace(t)
	p.settings(quick)
	good := p.deployed(settingsMap, asleep)
	items := p.do(http.MethodGet, p.path("configmaps", ""), nil)["items"].([]any)
	p.do(http.MethodPost, p.path("resourcequotas", ""), object{"metadata": object{"name": "few"}, "spec": object{"hard": object{"count/configmaps": len(items)}}})
	p.eventually("the quota is in force", func() bool { return field(p.live("resourcequotas", "few"), "status", "used") != nil })
	p.deploy(settingsMap, asleep, extra)
	p.wantOutcome(p.sync(), reconcile.RolledBack, "ConfigMap/"+p.namespace+"/extra", "exceeded quota: few")
	p.wantOutcome(p.sync(), reconcile.Held, "exceeded quota", "syncd retry shop")
	p.goesOn(good, asleep)
}

// A finalizer that nobody takes away is waited for, and then named.
func TestAFinalizerThatNeverEndsIsNamed(t *testing.T) {
	p := newPlace(t)
	p.settings(quick)
	p.deployed(settingsMap, extra)
	hold := func(list ...any) { p.edit("configmaps", "extra", object{"metadata": object{"finalizers": list}}) }
	hold("example.org/held")
	p.t.Cleanup(func() {
		if p.live("configmaps", "extra") != nil {
			hold()
		}
	})
	p.deploy(strings.Replace(settingsMap, "blue", "green", 1))
	begun := time.Now()
	res := p.sync()
	t.Logf("%s after %s: %s; %v", res.Outcome, time.Since(begun).Round(time.Second), res.Reason, res.Notes)
	if !strings.Contains(res.Reason+strings.Join(res.Notes, " "), "example.org/held") {
		t.Errorf("the finalizer is not named: %s %s; %v", res.Reason, res.Hint, res.Notes)
	}
	if got := field(p.live("configmaps", "settings"), "data", "colour"); got != "green" {
		t.Errorf("the rest of the change did not arrive: %v", got)
	}
	hold()
	p.eventually("it is gone", func() bool { return p.live("configmaps", "extra") == nil })
	if res := p.sync(); res.Outcome.ExitCode() != 0 {
		t.Errorf("when it is gone, the pass ends %s: %s", res.Outcome, res.Reason)
	}
	p.settled()
}

func TestANamespaceThatIsStuckBlocks(t *testing.T) {
	p := newPlace(t)
	p.settings(quick)
	good := p.deployed(settingsMap, asleep)
	stuck := p.namespace + "-stuck"
	other := &place{t: p.t, access: p.access, namespace: stuck}
	p.do(http.MethodPost, "/api/v1/namespaces", object{"metadata": object{"name": stuck}})
	other.make("configmaps", object{"metadata": object{"name": "held", "finalizers": []any{"example.org/held"}}})
	p.do(http.MethodDelete, "/api/v1/namespaces/"+stuck, nil)
	p.t.Cleanup(func() { other.edit("configmaps", "held", object{"metadata": object{"finalizers": nil}}) })
	p.deploy(settingsMap, asleep, strings.Replace(settingsMap, "settings", "there, namespace: "+stuck, 1))
	p.wantOutcome(p.sync(), reconcile.Blocked, "ConfigMap/"+stuck+"/there", "being terminated", "its namespace is being removed")
	if rec := p.record(); len(rec.Quarantine) > 0 {
		t.Errorf("the revision was blamed: %+v", rec.Quarantine)
	}
	p.goesOn(good, asleep)
}

// A credential that has expired is no fault of any revision.
func TestAnExpiredCredentialIsNamed(t *testing.T) {
	p := newPlace(t)
	p.deployed(settingsMap)
	expired, err := p.access.User(t.TempDir(), "late", -time.Minute, "system:masters")
	p.must(err)
	p.kubeconfig = expired
	_, _, err = p.tryAgent()
	if fault.Of(err) != fault.Blocked || !strings.Contains(fault.Advice(err), "expired") {
		t.Errorf("got %v (%s), hint %q", err, fault.Of(err), fault.Advice(err))
	}
	p.kubeconfig = filepath.Join(t.TempDir(), "none")
	if _, _, err = p.tryAgent(); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("a kubeconfig that is not there: %v", err)
	}
}
