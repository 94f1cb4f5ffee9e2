package webhook

import (
	"maps"
	"sync"
)

// counts are how many webhooks came. Their names are bounded by the configuration:
// what comes to no hook is counted under none.
type counts struct {
	mu       sync.Mutex
	accepted map[string]uint64
	refused  map[[2]string]uint64
}

func (c *counts) accept(hook string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.accepted == nil {
		c.accepted = map[string]uint64{}
	}
	c.accepted[hook]++
}

func (c *counts) refuse(hook, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused == nil {
		c.refused = map[[2]string]uint64{}
	}
	c.refused[[2]string{hook, why}]++
}

// Accepted are how many webhooks were accepted, by the name of the hook.
func (r *Receiver) Accepted() map[string]uint64 {
	r.counts.mu.Lock()
	defer r.counts.mu.Unlock()
	out := maps.Clone(r.counts.accepted)
	if out == nil {
		out = map[string]uint64{}
	}
	for name := range r.hooks {
		out[name] += 0 // none is a number, too
	}
	return out
}

// Refused are how many were refused, by the name of the hook and by the reason.
func (r *Receiver) Refused() map[[2]string]uint64 {
	r.counts.mu.Lock()
	defer r.counts.mu.Unlock()
	return maps.Clone(r.counts.refused)
}
