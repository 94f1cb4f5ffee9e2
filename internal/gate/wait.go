package gate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"syncd.io/syncd/internal/gate/http1"
)

// probing is how long one waits, without a hold, for an ejected backend's return,
// or for the agent to see that it has died and to hold what comes until another
// one serves.
const probing = 10 * time.Second

// Why nobody is given.
var (
	errRefused = errors.New("no backend is in the pool")
	errTooLong = errors.New("no backend came into the pool in time")
	errTooMany = errors.New("too many wait for a backend already")
	errClosed  = errors.New("the gate is closing")
)

// Pick gives a backend for a request; see http1.Pool.
func (p *pool) Pick(ctx context.Context, sticky string, except []string) (http1.Lease, error) {
	l, err := p.pick(ctx, sticky, except)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// pick gives a backend for a connection or request. It waits while nobody can be
// given but somebody may come: during a hold, and while the ejected are probed.
// ctx is only touched if it waits.
func (p *pool) pick(ctx context.Context, sticky string, except []string) (*lease, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m := p.choose(sticky, except); m != nil {
		return p.lend(m), nil
	}
	if err := p.admit(); err != nil {
		return nil, err
	}
	p.totals.Held++
	p.waiting++
	defer func() { p.waiting-- }()
	return p.wait(ctx, sticky, except)
}

// admit tells whether one more may wait.
func (p *pool) admit() error {
	if _, ok := p.patience(); !ok {
		p.totals.Refused++
		return errRefused
	}
	limit := DefaultHoldLimit
	if p.table.Hold != nil {
		limit = p.table.Hold.Limit
	}
	if p.waiting >= limit {
		p.totals.HeldTooMany++
		return errTooMany
	}
	return nil
}

// patience is how long one may wait; false where there is nothing to wait for.
func (p *pool) patience() (time.Duration, bool) {
	if p.table.Hold != nil {
		return p.table.Hold.For.D(), true
	}
	for _, m := range p.members {
		if !m.left {
			return probing, true
		}
	}
	return 0, false
}

// again tells, by no error, that one who could not connect to a backend may ask
// for another. Since the first time, which until remembers, that goes on for as
// long as one may wait.
func (p *pool) again(ctx context.Context, until *time.Time, failed error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if until.IsZero() {
		limit, _ := p.patience()
		*until = now.Add(limit)
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case now.Before(*until):
		return nil
	}
	p.totals.HeldTooLong++
	return fmt.Errorf("%w: %w", errTooLong, failed)
}

// wait looks whenever something changed. How long it may wait is asked anew each
// time: a hold may have begun or ended.
func (p *pool) wait(ctx context.Context, sticky string, except []string) (*lease, error) {
	began := time.Now()
	for {
		limit, ok := p.patience()
		switch left := limit - time.Since(began); {
		case p.closed:
			return nil, errClosed
		case !ok:
			p.totals.Refused++
			return nil, errRefused
		case left <= 0:
			p.totals.HeldTooLong++
			return nil, errTooLong
		default:
			if err := p.pause(ctx, left); err != nil {
				return nil, err
			}
		}
		if m := p.choose(sticky, except); m != nil {
			return p.lend(m), nil
		}
	}
}

// pause waits, without the lock, for a change or until limit is over.
func (p *pool) pause(ctx context.Context, limit time.Duration) error {
	changed := p.changed
	p.mu.Unlock()
	defer p.mu.Lock()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}
