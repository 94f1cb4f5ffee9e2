package reconcile

import (
	"context"
	"errors"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
)

// Voucher is a Source that looks at who signed a commit.
type Voucher interface {
	// Vouch tells whether the commit is signed as it has to be, by keys that are
	// believed now. It is cheap for one that was looked at before.
	Vouch(ctx context.Context, commit string) error
}

// unsigned tells whether a revision was rejected for want of a signature.
func unsigned(err error) bool {
	return errors.Is(err, source.ErrNotAccepted) && fault.Of(err) == fault.Rejected
}

func (a *Agent) vouch(ctx context.Context, c *catalog) error {
	if voucher, ok := a.opts.Source.(Voucher); ok && c.snapshot.Revision.Commit != "" {
		return voucher.Vouch(ctx, c.snapshot.Revision.Commit)
	}
	return nil
}

// reconsider looks again at the revision that the agent goes by, where there is no
// newer one to go by: keys may have been revoked since. What came of it before stays
// where it cannot be found out.
func (a *Agent) reconsider(ctx context.Context) {
	c := a.catalog.Load()
	if c == nil {
		return
	}
	err := a.vouch(ctx, c)
	if known := err == nil || fault.Of(err) == fault.Rejected || fault.Of(err) == fault.Blocked; known && ctx.Err() == nil {
		a.catalog.Store(c.doubted(err))
	}
}

// doubted is the catalog with that doubt; itself where nothing changes.
func (c *catalog) doubted(doubt error) *catalog {
	if doubt == nil && c.doubt == nil || doubt != nil && c.doubt != nil && doubt.Error() == c.doubt.Error() {
		return c
	}
	other := *c
	other.doubt, other.board = doubt, &board{}
	return &other
}

// doubtful keeps out what a revision asks for that is believed no more: nothing of it
// is rendered or begun. What is good already stays, and is looked after.
func (p *pass) doubtful(ctx context.Context) (verdict, bool) {
	if p.catalog.doubt == nil {
		return verdict{}, false
	}
	if _, wanted := p.catalog.apps[p.name]; wanted && p.app.Error == "" {
		cand := p.known(p.catalog, p.app.Dir, hostDirOf(p.app, p.record), p.record)
		if cand != nil {
			if course, _ := decide(p.record, cand.set, p.will); course == settle || course == hold {
				return verdict{}, false
			}
		}
	}
	return p.keepGood(ctx, verdictOf(p.catalog.doubt)), true
}
