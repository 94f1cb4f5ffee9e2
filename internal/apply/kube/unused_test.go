package kube

import (
	"slices"
	"testing"
	"time"

	"k8s.io/client-go/tools/cache"

	"syncd.io/syncd/internal/drift"
)

// watchedKinds are the kinds that are watched in an account's name.
func (p *place) watchedKinds(account string) []string {
	p.engine.mu.Lock()
	defer p.engine.mu.Unlock()
	var out []string
	for at := range p.engine.scopes {
		if at.account == account {
			out = append(out, at.kind.gvk.Kind)
		}
	}
	slices.Sort(out)
	return out
}

// A kind is watched for as long as an app has something of it, and anew when one has
// again.
func TestAWatchEndsWithItsLastUser(t *testing.T) {
	p := newPlace(t)
	p.deploy(p.set(plain))
	p.until(plain, drift.Report.InSync)
	p.engine.tidy(0)
	if kinds := p.watchedKinds(""); !slices.Equal(kinds, []string{"ConfigMap", "Service"}) {
		t.Fatalf("watched are %v", kinds)
	}
	only := p.set(plain)[:1]
	p.deploy(only) // prunes the Service
	p.waitFor(func() bool {
		p.engine.tidy(0)
		return slices.Equal(p.watchedKinds(""), []string{"ConfigMap"})
	})
	if _, report := p.observe(only); !report.InSync() {
		t.Errorf("the ConfigMap: %s", report)
	}
	p.deploy(p.set(plain))
	p.until(plain, drift.Report.InSync)
}

// What may be watched in single namespaces only is known for as long as it is watched
// in one.
func TestAKindStaysConfinedWhileItIsWatchedSomewhere(t *testing.T) {
	widget, gone := kind{version: "example.com/v1"}, kind{version: "example.org/v1"}
	idle, used := &scoped{end: func() {}}, &scoped{end: func() {}, asked: time.Now()}
	for _, s := range []*scoped{idle, used} {
		s.informer = cache.NewSharedIndexInformer(nil, nil, 0, cache.Indexers{byApp: nil})
	}
	e := &Engine{
		life: t.Context(), confined: map[scope]bool{{kind: widget}: true, {kind: gone}: true},
		scopes: map[scope]*scoped{{kind: widget, namespace: "one"}: idle, {kind: widget, namespace: "two"}: used, {kind: gone, namespace: "one"}: idle},
	}
	e.tidy(time.Hour)
	e.tidying.Stop()
	if len(e.scopes) != 1 || !e.confined[scope{kind: widget}] || len(e.confined) != 1 {
		t.Errorf("watched are %d, confined %v", len(e.scopes), e.confined)
	}
}

// An app that goes over to another account leaves nothing of the former behind.
func TestWatchesAndClientsOfAnAccountEndWithItsLastApp(t *testing.T) {
	p := newPlace(t)
	p.account("deployer", `[{apiGroups: [""], resources: [configmaps, services], verbs: ["*"]}]`)
	account := p.namespace + "/deployer"
	p.owned.As = account
	p.deploy(p.set(plain))
	p.engine.tidy(0)
	if kinds := p.watchedKinds(account); len(kinds) != 2 {
		t.Fatalf("watched are %v", kinds)
	}
	p.owned.As = ""
	p.until(plain, drift.Report.InSync)
	p.engine.tidy(0)
	if kinds := p.watchedKinds(account); len(kinds) > 0 {
		t.Errorf("watched in its name are still %v", kinds)
	}
	p.engine.mu.Lock()
	defer p.engine.mu.Unlock()
	if p.engine.identities[account] != nil {
		t.Error("its clients are still there")
	}
}

// What is known of an app is kept for as long as somebody has a target of it.
func TestALedgerIsSharedByTheTargetsOfAnApp(t *testing.T) {
	p := newPlace(t)
	if p.engine.Target("shop").ledger != p.target.ledger || p.engine.Target("other").ledger == p.target.ledger {
		t.Error("one ledger for each app is wanted")
	}
}
