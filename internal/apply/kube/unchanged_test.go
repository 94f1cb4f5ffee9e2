package kube

import (
	"reflect"
	"testing"
	"time"

	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
)

const idleWeb = plain + `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, annotations: {syncd.io/prune: keep}}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: app, image: "syncd-test/app:1"}]}`

// known waits until a short look tells all of the set.
func (p *place) known(want []resource.Object) (*look, []resource.Pair) {
	p.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); {
		p.observe(want)
		id, err := p.target.identity()
		if err != nil {
			p.t.Fatal(err)
		}
		l := &look{Target: p.target, begun: time.Now(), identity: id, want: want}
		var short []resource.Pair
		for i := range want {
			if pair, ok := l.unchanged(&want[i]); ok {
				short = append(short, pair)
			}
		}
		if len(short) == len(want) {
			return l, short
		}
		if err := pauseFor(p.t.Context(), 20*time.Millisecond); err != nil {
			p.t.Fatal(err)
		}
	}
	p.t.Fatal("a short look does not tell what was applied and has stayed so")
	return nil, nil
}

func TestAShortLookTellsWhatALongOneDoes(t *testing.T) {
	p := newPlace(t)
	want := p.set(idleWeb)
	p.deploy(want)
	l, short := p.known(want)
	for i, o := range want {
		long, err := l.pair(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(short[i], long) {
			t.Errorf("%s looks like\n%+v\nand is\n%+v", o.Key, short[i], long)
		}
	}
}

func TestAShortLookTellsNothingOfWhatMayHaveChanged(t *testing.T) {
	p := newPlace(t)
	want := p.set(idleWeb)
	p.deploy(want)
	l, _ := p.known(want)
	differs := func(name string, o resource.Object) {
		t.Helper()
		if pair, ok := l.unchanged(&o); ok {
			t.Errorf("%s is taken for %+v", name, pair)
		}
	}
	web := want[2]
	other := web
	other.Spec = append([]byte(`{"minReadySeconds":1,`), web.Spec[1:]...)
	differs("another wish", other)
	checked := web
	checked.Check = &resource.Check{}
	differs("an object that has a check by now", checked)
	p.edit(deployments, "web", `{"spec":{"minReadySeconds":3,"template":{"spec":{"containers":[{"name":"app","image":"other:1"}]}}}}`)
	p.until(idleWeb, func(r drift.Report) bool { return !r.InSync() })
	differs("an edited object", web)
}
