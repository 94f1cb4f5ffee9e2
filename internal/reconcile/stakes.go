package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"unicode"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// stakes say which apps have an object of a cluster, or have asked for it: there,
// all apps know an object by one name. They only tell whom to ask; whether an app
// still wants the object is looked up then.
type stakes struct {
	// turn is held by who looks and stakes: of two apps that ask side by side one is
	// the first.
	turn chan struct{}
	by   map[resource.Key]map[string]bool
}

func newStakes() stakes {
	return stakes{turn: make(chan struct{}, 1), by: map[resource.Key]map[string]bool{}}
}

// inCluster tells the slots that all apps know by one name.
func inCluster(key resource.Key) bool { return key.Kind != "" && unicode.IsUpper(rune(key.Kind[0])) }

// add stakes the objects for an app.
func (s *stakes) add(app string, objects []resource.Object) {
	for _, o := range objects {
		if !inCluster(o.Key) {
			continue
		}
		if s.by[o.Key] == nil {
			s.by[o.Key] = map[string]bool{}
		}
		s.by[o.Key][app] = true
	}
}

// onRecord are the objects that an app has, as far as its record says.
func onRecord(rec state.Record) []resource.Object {
	var has []resource.Object
	if rec.Good != nil {
		has = append(has, rec.Good.Objects...)
	}
	if rec.Attempt != nil {
		has = append(has, rec.Attempt.Set.Objects...)
	}
	return has
}

// outbid finds the app that has one of the wanted objects of a cluster, or asked
// for it first, and wants it still. Where there is none, and stake says so, they are
// this app's.
func (w *worker) outbid(ctx context.Context, c *catalog, want []resource.Object, stake bool) (verdict, bool) {
	others, err := w.others(c)
	if err != nil {
		return verdictOf(err), true
	}
	s := &w.agent.stakes
	if err := take(ctx, s.turn); err != nil {
		return verdictOf(err), true
	}
	defer func() { <-s.turn }()
	for _, o := range want {
		for _, app := range slices.Sorted(maps.Keys(s.by[o.Key])) {
			i := slices.IndexFunc(others, func(other *worker) bool { return other.name == app })
			if i < 0 || !others[i].wants(ctx, c, o.Key) {
				continue
			}
			return verdict{outcome: Blocked,
				reason: fmt.Sprintf("%s of app %s (%s) is wanted by app %s in %s too, which has it", o.Key, w.name, c.apps[w.name].Dir, app, c.apps[app].Dir),
				hint:   w.agent.idiom().apart}, true
		}
	}
	if stake {
		s.add(w.name, want)
	}
	return verdict{}, false
}

// wants tells whether the app is to have an object by the catalog: where that cannot
// be told, or what it asks for stays out, whether it has it.
func (w *worker) wants(ctx context.Context, c *catalog, key resource.Key) bool {
	rec := w.read()
	if cand := w.fit(ctx, c, rec); cand != nil {
		if course, _ := decide(rec, cand.set, will{auto: true}); course != hold {
			return has(cand.set.Objects, key)
		}
	}
	return has(onRecord(rec), key)
}

func has(objects []resource.Object, key resource.Key) bool {
	return slices.ContainsFunc(objects, func(o resource.Object) bool { return o.Key == key })
}
