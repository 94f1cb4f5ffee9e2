package docker

import (
	"context"
	"maps"
	"slices"

	"github.com/docker/docker/api/types/network"
)

// gateNames are the names that a gate answers to in its networks, besides its ID.
func gateNames(g found) map[string][]string {
	if g.NetworkSettings == nil {
		return nil
	}
	var out map[string][]string
	for name, e := range g.NetworkSettings.Networks {
		aliases := sorted(slices.DeleteFunc(slices.Clone(e.Aliases), func(a string) bool { return a == short(g.ID) }))
		if name == edgeName || len(aliases) == 0 {
			continue
		}
		if out == nil {
			out = map[string][]string{}
		}
		out[name] = aliases
	}
	return out
}

// nameGate lets a gate answer to these names in these networks, and to none
// elsewhere, and returns the networks that it is on then. An engine changes the
// names of nobody who stays: where they differ, the gate leaves and joins again.
func (e *Engine) nameGate(ctx context.Context, g found, names map[string][]string) ([]string, error) {
	var on []string
	if g.NetworkSettings != nil {
		on = slices.Collect(maps.Keys(g.NetworkSettings.Networks))
	}
	have := gateNames(g)
	for name, aliases := range have {
		if !slices.Equal(aliases, names[name]) {
			if err := e.disconnect(ctx, name, g.ID); err != nil {
				return nil, err
			}
			on = slices.DeleteFunc(on, func(n string) bool { return n == name })
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if slices.Equal(have[name], names[name]) {
			continue
		}
		if slices.Contains(on, name) { // it is there without a name
			if err := e.disconnect(ctx, name, g.ID); err != nil {
				return nil, err
			}
		} else {
			on = append(on, name)
		}
		if err := e.connect(ctx, name, g.ID, &network.EndpointSettings{Aliases: names[name]}); err != nil {
			return nil, err
		}
	}
	return on, nil
}
