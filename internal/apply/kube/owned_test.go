package kube

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

func TestWhatAnotherAgentHasTakenIsNeverRemoved(t *testing.T) {
	p := newPlace(t)
	p.deploy(p.set(plain))
	set := p.set(plain)
	ref := p.pairOf(set[0]).Live[0].Ref
	p.edit(configMaps, "settings", `{"metadata":{"labels":{"syncd.io/agent":"other"}}}`)
	if err := p.target.Remove(t.Context(), set[0].Key, ref); err != nil {
		t.Fatal(err)
	}
	if _, err := p.admin.Resource(configMaps).Namespace(p.namespace).Get(t.Context(), "settings", metav1.GetOptions{}); err != nil {
		t.Errorf("it is gone: %v", err)
	}
	_, report := p.observe(p.set(strings.Split(plain, "\n---\n")[1])) // the ConfigMap is wanted no more
	for _, f := range report.Findings {
		if f.Key == set[0].Key && f.Class == drift.Extra {
			t.Errorf("it would be pruned: %s", f)
		}
	}
}

func TestAKindWithoutNamespacesSaysSo(t *testing.T) {
	p := newPlace(t)
	o := p.set("apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: high}\nvalue: 1")[0]
	_, err := p.target.Observe(t.Context(), []resource.Object{o}, p.owned)
	if fault.Of(err) != fault.Rejected || !strings.Contains(fault.Advice(err), "syncd.io/scope") {
		t.Errorf("got %v", err)
	}
}

func TestSecretsAreNeverRepeated(t *testing.T) {
	p := newPlace(t)
	text := `
apiVersion: v1
kind: Secret
metadata: {name: token}
stringData: {token: correct-horse-battery}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: {correct-horse-battery: 1}}`
	_, err := p.target.Observe(t.Context(), p.set(text), p.owned)
	if err != nil && strings.Contains(err.Error(), "correct-horse-battery") {
		t.Errorf("observe says %v", err)
	}
	if _, err = p.target.Put(t.Context(), p.set(text)[1]); err == nil || strings.Contains(err.Error(), "correct-horse-battery") {
		t.Errorf("put says %v", err)
	}
}
