package reconcile

import (
	"context"
	"fmt"
	"slices"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// standsInTheWay says what must be settled before anything is put. What was begun
// is gone on with: half a change waits for nobody.
func (p *pass) standsInTheWay(ctx context.Context, cand *candidate) (verdict, bool) {
	if a := p.record.Attempt; a != nil && a.Set.Digest == cand.set.Digest {
		return verdict{}, false
	}
	if v, renamed := p.renamed(cand); renamed {
		return v, true
	}
	if v, blocked := p.dependencies(); blocked {
		return v, true
	}
	if v, blocked := p.claimed(ctx, p.catalog, cand.set.Objects, true); blocked {
		return v, true
	}
	return p.contested(ctx, p.catalog, p.record, cand.set.Objects)
}

// renamed finds the app that this one was before, by its directory, or by what it
// consists of where the directory was renamed: under another name its containers
// and volumes would be left behind, and new, empty ones made. On a cluster objects
// have one name whatever the app is called, and go over to it.
func (p *pass) renamed(cand *candidate) (verdict, bool) {
	if p.agent.onCluster() || p.record.Good != nil || p.record.Attempt != nil {
		return verdict{}, false
	}
	workers, err := p.agent.known(nil)
	if err != nil {
		return verdictOf(err), true
	}
	for _, w := range workers {
		rec := w.read()
		if _, still := p.catalog.apps[w.name]; still || rec.Good == nil || rec.Dir != p.app.Dir && !sameData(rec.Good.Objects, cand.set.Objects) {
			continue
		}
		return verdict{outcome: Blocked,
			reason: fmt.Sprintf("%s was app %s in %s until now, whose containers and volumes still are there; as %s it would begin with empty volumes", p.app.Dir, w.name, rec.Dir, p.name),
			hint:   fmt.Sprintf("write name: %s into its compose file, or give the old one up: syncd plan %s", w.name, w.name)}, true
	}
	return verdict{}, false
}

// sameData tells whether two sets have the very same slots, and volumes among
// them.
func sameData(a, b []resource.Object) bool {
	same := slices.EqualFunc(resource.Sorted(a), resource.Sorted(b), func(x, y resource.Object) bool { return x.Key == y.Key })
	return same && slices.ContainsFunc(a, func(o resource.Object) bool { return o.Key.Kind == spec.KindVolume })
}

// dependencies are the apps that must be good before this one is changed.
func (p *pass) dependencies() (verdict, bool) {
	for _, name := range p.config().DependsOn {
		w, err := p.agent.known([]string{name})
		if err != nil {
			return verdict{outcome: Blocked, reason: "it depends on app " + name + ", which does not exist here", hint: fault.Advice(err)}, true
		}
		if rec := w[0].read(); rec.Good == nil || rec.Attempt != nil || rec.Halted != "" {
			return verdict{outcome: Blocked, cause: causeDependency, reason: "it waits for app " + name, hint: "syncd explain " + name}, true
		}
	}
	return verdict{}, false
}
