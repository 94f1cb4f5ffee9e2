package notify

import "slices"

// collectFor adds to the group of a route, or to those of its channels that do not know
// it yet.
func (k *keeping) collectFor(r route, t Told) error {
	channels := k.queued(r.To)
	behind := slices.DeleteFunc(slices.Clone(channels), func(name string) bool { return t.ID <= k.known.of(name) })
	if len(behind) == len(channels) {
		return k.collect(r.name, t)
	}
	for _, name := range behind {
		if err := k.collect(ownGroup(r.name, name), t); err != nil {
			return err
		}
	}
	return nil
}

// collect adds to a group.
func (k *keeping) collect(name string, t Told) error {
	g := k.groups[name]
	if g == nil {
		g = &group{}
		if _, err := k.tx.Get(groupsShelf, name, g); err != nil {
			return err
		}
		k.groups[name] = g
	}
	t.Says = "" // people read the reason
	g.add(t, k.now)
	return nil
}
