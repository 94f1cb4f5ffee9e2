package apply

import (
	"fmt"
	"strings"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// holder is a running instance that holds claims.
type holder struct {
	key     resource.Key
	inst    resource.Instance
	slot    *slot // nil for what is no longer wanted
	foreign bool
}

// rival is a holder that must be stopped before somebody else can be put.
type rival struct {
	holder
	claim resource.Claim
}

// checkClaims refuses a set in which two slots want the same thing for
// themselves: no order of steps could make both live. Writers are excepted:
// services that share a volume say so on purpose.
func checkClaims(slots []*slot) error {
	seen := map[string][]*slot{}
	for _, s := range slots {
		for _, c := range s.want().Claims {
			if c.Kind == resource.ClaimWriter {
				continue
			}
			for _, o := range seen[bucket(c)] {
				if o != s && holds(o.want().Claims, c) {
					err := fmt.Errorf("%s and %s both claim %s", o.pair.Key, s.pair.Key, c)
					return fault.Hint(fault.As(fault.Rejected, err), "give one of them another value, or one replica")
				}
			}
			seen[bucket(c)] = append(seen[bucket(c)], s)
		}
	}
	return nil
}

// bucket is the same for all claims that can conflict.
func bucket(c resource.Claim) string {
	value := c.Value
	switch c.Kind {
	case resource.ClaimPort:
		_, value = cutPort(value)
	case resource.ClaimWriter:
		value = source(value)
	}
	return string(c.Kind) + " " + value
}

// holds tells whether one of held conflicts with c.
func holds(held []resource.Claim, c resource.Claim) bool {
	for _, h := range held {
		if conflict(c, h) {
			return true
		}
	}
	return false
}

// shared returns the first claim of want that conflicts with one in held.
func shared(want, held []resource.Claim) (resource.Claim, bool) {
	for _, w := range want {
		if holds(held, w) {
			return w, true
		}
	}
	return resource.Claim{}, false
}

func conflict(a, b resource.Claim) bool {
	switch {
	case a.Kind != b.Kind:
		return false
	case a.Kind == resource.ClaimPort:
		return samePort(a.Value, b.Value)
	case a.Kind == resource.ClaimWriter:
		return source(a.Value) == source(b.Value)
	default:
		return a.Value == b.Value
	}
}

// source returns what a writer writes, without for whom ("SOURCE for SERVICE").
func source(value string) string {
	s, _, _ := strings.Cut(value, " for ")
	return s
}

// samePort compares ADDRESS:PORT/PROTOCOL; a wildcard address meets all.
func samePort(a, b string) bool {
	hostA, portA := cutPort(a)
	hostB, portB := cutPort(b)
	return portA == portB && (hostA == hostB || wildcard(hostA) || wildcard(hostB))
}

func cutPort(s string) (host, port string) {
	if i := strings.LastIndexByte(s, ':'); i >= 0 {
		return strings.Trim(s[:i], "[]"), s[i+1:]
	}
	return "", s
}

func wildcard(host string) bool { return host == "" || host == "0.0.0.0" || host == "::" }

// settleClaims decides, for every slot that brings an instance to life, what
// must be stopped before it: its own old side, or whoever else holds what it
// claims.
func (b *builder) settleClaims() {
	holders := b.findHolders()
	for _, s := range b.slots {
		if s.fresh() {
			b.settleOwn(s)
			b.settleElsewhere(s, holders)
		}
	}
}

// settleOwn derives stop-first from the claims of the slot's own old side.
func (b *builder) settleOwn(s *slot) {
	others := s.runningOthers()
	for _, old := range others {
		if c, ok := shared(s.want().Claims, old.Claims); ok {
			s.stopFirst, s.why = true, c.String()
			return
		}
	}
	switch {
	case len(others) == 0 || s.stopFirst:
	case s.want().Once:
		s.stopFirst, s.why = true, "its last run has not ended"
	case b.policy(s).Order == resource.StopFirst:
		s.stopFirst, s.why = true, "asked for"
	}
}

// settleElsewhere finds who else holds what s claims and will be gone when the
// plan is done.
func (b *builder) settleElsewhere(s *slot, holders map[string][]holder) {
	for _, c := range s.want().Claims {
		for _, h := range holders[bucket(c)] {
			if h.key != s.pair.Key && b.rivals(h, c) {
				b.face(s, rival{holder: h, claim: c})
			}
		}
	}
}

// rivals tells whether h must go for claim c. Of writers only what is no longer
// wanted must: a sidecar that writes the same volume is meant to be there.
func (b *builder) rivals(h holder, c resource.Claim) bool {
	return holds(h.inst.Claims, c) && (h.slot == nil || c.Kind != resource.ClaimWriter && h.slot.leaves(h.inst))
}

func (b *builder) face(s *slot, r rival) {
	switch {
	case r.foreign:
		b.plan.Blocked = append(b.plan.Blocked, fmt.Sprintf("%s needs %s, which %s holds, and that is not ours to stop", s.pair.Key, r.claim, r.key))
	case s.pair.Key.Kind == routeKind: // it makes room when its own turn comes
	case r.slot != nil && !r.slot.stopFirst:
		r.slot.stopFirst, r.slot.why = true, fmt.Sprintf("%s goes to %s", r.claim, s.pair.Key)
	}
	s.rivals = append(s.rivals, r)
}

// findHolders returns the running instances by what they hold.
func (b *builder) findHolders() map[string][]holder {
	out := map[string][]holder{}
	for _, p := range b.req.Pairs {
		for _, inst := range p.Live {
			if !inst.Running {
				continue
			}
			h := holder{key: p.Key, inst: inst, slot: b.byKey[p.Key], foreign: inst.Foreign}
			for _, c := range inst.Claims {
				out[bucket(c)] = append(out[bucket(c)], h)
			}
		}
	}
	return out
}
