package metrics

import "sync"

// mostNames is how many apps, remotes or requests have a label of their own.
const mostNames = 1000

// others is the label of all that came later.
const others = "other"

// names bound a label: the first ones that are met keep theirs for as long as they are
// there, all further ones share one.
type names struct {
	most int
	mu   sync.Mutex
	met  map[string]bool
}

func newNames(most int) *names { return &names{most: most, met: map[string]bool{}} }

// of returns the label of a name.
func (n *names) of(name string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.met[name]:
	case len(n.met) >= n.most:
		return others
	default:
		n.met[name] = true
	}
	return name
}

// keep forgets all names but these.
func (n *names) keep(these map[string]bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for name := range n.met {
		if !these[name] {
			delete(n.met, name)
		}
	}
}
