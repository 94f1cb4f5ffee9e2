package gate

import (
	"context"
	"errors"
	"time"

	"syncd.io/syncd/internal/fault"
)

// load brings the table that lies on disk into force.
func (g *Gate) load() {
	g.mu.Lock()
	defer g.mu.Unlock()
	t, found, err := g.store.load()
	switch {
	case err != nil:
		g.unread = err
		g.opts.Log.Error("no table", "error", err)
	case found:
		g.force(t)
		g.settle()
	}
}

// Apply brings a table into force: it is on disk before anything follows it. The
// one that is in force already changes nothing. When it returns, the port is
// open or closed as the table wants it, or Answer says what is in the way. An
// error says that the table is not in force, and the one before still is.
func (g *Gate) Apply(t Table) error {
	t, err := t.checked()
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ending {
		return fault.As(fault.Unreachable, errors.New("the gate is ending"))
	}
	if t.Digest() != g.digest {
		if err := g.store.save(t); err != nil {
			return err
		}
		g.force(t)
	}
	g.settle()
	return nil
}

// force makes t the table in force.
func (g *Gate) force(t Table) {
	g.table, g.digest, g.unread = t, t.Digest(), nil
	g.pool.set(t)
	g.opts.Log.Info("table", "digest", g.digest, "backends", len(t.Backends), "hold", t.Hold != nil)
}

// settle opens or closes the port as the table wants it. What fails is tried
// again.
func (g *Gate) settle() {
	if g.retry != nil {
		g.retry.Stop()
		g.retry = nil
	}
	before := g.door.address()
	if g.ending || g.digest == "" || !g.table.Opens() {
		g.shut = nil
		if err := g.door.close(); err != nil {
			g.opts.Log.Warn("closing the port", "error", err)
		}
		if err := g.inside.open(g.open, 0); err != nil {
			g.opts.Log.Warn("closing the port inside", "error", err)
		}
	} else if g.shut = errors.Join(g.door.open(g.open, g.table.Port), g.inside.open(g.open, g.table.Inside)); g.shut != nil {
		g.opts.Log.Error("the port is not open", "error", g.shut)
		g.retry = time.AfterFunc(relisten, g.again)
	}
	g.pool.stir() // a trouble may be over
	if now := g.door.address(); now != before {
		g.opts.Log.Info("port", "address", now)
	}
}

func (g *Gate) again() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.settle()
}

// Settled is Answer once nothing is unsettled; when ctx ends, as it is then.
func (g *Gate) Settled(ctx context.Context) Answer {
	for {
		changed := g.pool.next() // before looking, or one may be missed
		a := g.Answer()
		if a.Unsettled() == "" {
			return a
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return a
		}
	}
}

// Answer tells how the gate is doing.
func (g *Gate) Answer() Answer {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := Answer{Version: g.opts.Version, Digest: g.digest, Address: g.door.address(), Inside: g.inside.listening()}
	a.Listening = a.Address != ""
	if err := errors.Join(g.unread, g.shut); err != nil {
		a.Trouble = err.Error()
	}
	g.pool.fill(&a)
	return a
}
