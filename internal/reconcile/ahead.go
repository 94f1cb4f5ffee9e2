package reconcile

import (
	"context"
	"time"
)

// ahead is what was rendered for a pass before it had its place.
type ahead struct {
	catalog *catalog
	cand    *candidate
	err     error
	took    time.Duration
}

// foresee renders what the pass will ask for. It does so before the pass waits for its
// place, so that all that wait for one are rendered together.
func (p *pass) foresee(ctx context.Context) {
	_, wanted := p.catalog.apps[p.name]
	back := p.record.Attempt != nil && p.record.Attempt.Back
	if !wanted || back || p.record.Released || paused(p.record, p.agent.opts.Now()) != nil {
		return // it will not ask
	}
	begun := time.Now()
	cand, err := p.kept(p.catalog, p.record), error(nil)
	if cand == nil {
		aside(func() { cand, err = p.candidate(ctx, p.catalog, p.record) }) // it may wait long, on a small stack
	}
	p.ahead = ahead{p.catalog, cand, err, time.Since(begun)}
}

// drawn is what the app asks for: as it was foreseen, unless something newer has come
// since.
func (p *pass) drawn(ctx context.Context) (*candidate, time.Duration, error) {
	if p.ahead.catalog == p.catalog {
		return p.ahead.cand, p.ahead.took, p.ahead.err
	}
	begun := time.Now()
	cand, err := p.candidate(ctx, p.catalog, p.record)
	return cand, time.Since(begun), err
}
