package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// Observe implements apply.Target: one list of containers, networks and volumes
// each, and one inspect per container; twice where a container went down. Errors:
// Blocked where another agent has taken the app over; Unreachable also where the engine
// answers still, and goes down.
func (t *Target) Observe(ctx context.Context, want []resource.Object, owned apply.Owned) ([]resource.Pair, error) {
	t.remember(want, owned)
	s, err := t.lookWell(ctx)
	if err != nil {
		return nil, err
	}
	if s.adopting(owned) {
		s.title = held
	}
	if s.title == lost {
		return nil, s.owner.takenOver()
	}
	pairs := map[resource.Key]*resource.Pair{}
	for i := range want {
		pairs[want[i].Key] = &resource.Pair{Key: want[i].Key, Group: want[i].Group, Want: &want[i]}
	}
	s.addExtras(pairs)
	for _, p := range pairs {
		if err := t.observe(ctx, s, p); err != nil {
			return nil, fmt.Errorf("observe %s: %w", p.Key, err)
		}
	}
	out := make([]resource.Pair, 0, len(pairs))
	for _, p := range pairs {
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b resource.Pair) int { return a.Key.Compare(b.Key) })
	return out, nil
}

// adopting tells whether the app is to be looked at as it would be after an
// adoption, which leaves the next mark.
func (s *snapshot) adopting(owned apply.Owned) bool {
	next := resource.Ref{ID: s.owner.next(s.project, "").String()}
	return slices.Contains(owned.Adopted, next)
}

// addExtras adds a pair for everything of the project that is not wanted.
func (s *snapshot) addExtras(pairs map[resource.Key]*resource.Pair) {
	add := func(key resource.Key) {
		if pairs[key] == nil {
			pairs[key] = &resource.Pair{Key: key, Group: groupOf(key)}
		}
	}
	for _, f := range s.containers {
		add(f.slot)
	}
	for _, g := range s.gates {
		add(g.slot)
	}
	for _, n := range s.networks {
		if n.Labels[labelProject] == s.project && n.Labels[labelNetwork] != "" {
			add(resource.Key{Kind: spec.KindNetwork, Name: n.Labels[labelNetwork]})
		}
	}
	for _, v := range s.volumes {
		if v.Labels[labelProject] == s.project && v.Labels[labelVolume] != "" {
			add(resource.Key{Kind: spec.KindVolume, Name: v.Labels[labelVolume]})
		}
	}
}

// groupOf returns the service whose slot or route it is; networks and volumes
// have none.
func groupOf(key resource.Key) string {
	return key.Namespace
}

func (t *Target) observe(ctx context.Context, s *snapshot, p *resource.Pair) error {
	switch p.Key.Kind {
	case spec.KindContainer:
		return t.observeContainer(ctx, s, p)
	case spec.KindNetwork:
		return t.observeNetwork(s, p)
	case spec.KindVolume:
		return t.observeVolume(s, p)
	case spec.KindRoute:
		return t.observeRoute(ctx, s, p)
	default:
		return rejected("use a kind that a Docker engine knows", "unknown kind %q", p.Key.Kind)
	}
}

func decode[T any](o resource.Object) (T, error) {
	var v T
	if err := json.Unmarshal(o.Spec, &v); err != nil {
		return v, rejected("", "read spec of %s: %w", o.Key, err)
	}
	return v, nil
}
