package gate

import "slices"

// choose returns who gets the next connection or request, nil if nobody can. It
// is the one named sticky where that is possible; and one of except, who refused
// before, only where there is nobody else.
func (p *pool) choose(sticky string, except []string) *member {
	if m := p.named(sticky); m != nil && !slices.Contains(except, sticky) {
		return m
	}
	if m := p.balance(except); m != nil || len(except) == 0 {
		return m
	}
	return p.balance(nil)
}

// named returns the open member with an ID.
func (p *pool) named(id string) *member {
	if id == "" {
		return nil
	}
	for _, m := range p.members {
		if m.backend.ID == id && m.open() {
			return m
		}
	}
	return nil
}

// balance returns who has the fewest in flight, of equals the one whose turn is
// longest ago; but those with a share get that share.
func (p *pool) balance(except []string) *member {
	var fewest *member
	rest, shared := 100, false
	for _, m := range p.members {
		if !m.left {
			rest -= m.backend.Share
		}
		switch {
		case !m.open() || slices.Contains(except, m.backend.ID):
		case m.backend.Share > 0:
			shared = true
		case m.before(fewest):
			fewest = m
		}
	}
	if !shared {
		return fewest
	}
	return p.byShare(fewest, rest, except)
}

// before tells whether m's turn comes before o's.
func (m *member) before(o *member) bool {
	switch {
	case o == nil:
		return true
	case m.inFlight != o.inFlight:
		return m.inFlight < o.inFlight
	}
	return m.turn < o.turn
}

// byShare chooses by smooth weighted round robin, as nginx has it: everybody's
// credit grows by the weight, the richest is chosen and pays the sum. So of any
// hundred in a row each gets its percentage, evenly spread. Those without a share
// take part as one, which fewest speaks for; rest is their weight. Who is not
// open takes no part, and the others get its share in proportion.
func (p *pool) byShare(fewest *member, rest int, except []string) *member {
	var best *member
	sum, richest := 0, 0
	if rest <= 0 {
		fewest = nil
	}
	if fewest != nil {
		p.credit += rest
		best, sum, richest = fewest, rest, p.credit
	}
	for _, m := range p.members {
		if m.backend.Share == 0 || !m.open() || slices.Contains(except, m.backend.ID) {
			continue
		}
		m.credit += m.backend.Share
		sum += m.backend.Share
		if best == nil || m.credit > richest {
			best, richest = m, m.credit
		}
	}
	if best == fewest {
		p.credit -= sum
	} else {
		best.credit -= sum
	}
	return best
}
