package kube

import (
	"encoding/json"

	"syncd.io/syncd/internal/resource"
)

// markJob says of a job how far it is: one that ended runs no more, and one that
// failed differs from what is wanted, so that it is run again.
func (l *look) markJob(p *resource.Pair, w *wanted) {
	if !w.object.Once || len(p.Live) == 0 {
		return
	}
	inst := &p.Live[0]
	inst.Running = inst.Health.State == resource.Progressing
	if inst.Health.State != resource.Failed {
		return
	}
	var tree map[string]any
	if json.Unmarshal(inst.Spec, &tree) != nil {
		return
	}
	tree["state"] = "failed"
	if raw, err := resource.Canonical(tree); err == nil {
		inst.Spec = raw
		l.ledger.change(p.Key, func(e *entry) { e.remake = true })
	}
}
