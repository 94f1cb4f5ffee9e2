package apply

import (
	"fmt"
	"strings"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// holder is a running instance that holds a claim.
type holder struct {
	key  resource.Key
	inst resource.Instance
	slot *slot // nil for what is no longer wanted
}

// checkClaims refuses a set in which two slots want the same thing for
// themselves: no order of steps could make both live.
func checkClaims(slots []*slot) error {
	for i, a := range slots {
		for _, b := range slots[:i] {
			if c, both := shared(a.want().Claims, b.want().Claims, exclusive); both {
				err := fmt.Errorf("%s and %s both claim %s", b.pair.Key, a.pair.Key, c)
				return fault.Hint(fault.As(fault.Rejected, err), "give one of them another value, or one replica")
			}
		}
	}
	return nil
}

// exclusive excepts writers: services that share a volume say so on purpose.
func exclusive(c resource.Claim) bool { return c.Kind != resource.ClaimWriter }

func any1(resource.Claim) bool { return true }

// shared returns the first claim of want that conflicts with one in held.
func shared(want, held []resource.Claim, which func(resource.Claim) bool) (resource.Claim, bool) {
	for _, w := range want {
		if !which(w) {
			continue
		}
		for _, h := range held {
			if conflict(w, h) {
				return w, true
			}
		}
	}
	return resource.Claim{}, false
}

func conflict(a, b resource.Claim) bool {
	if a.Kind != b.Kind {
		return false
	}
	if a.Kind == resource.ClaimPort {
		return samePort(a.Value, b.Value)
	}
	return a.Value == b.Value
}

// samePort compares ADDRESS:PORT/PROTOCOL; a wildcard address meets all.
func samePort(a, b string) bool {
	hostA, portA := cutPort(a)
	hostB, portB := cutPort(b)
	return portA == portB && (hostA == hostB || wildcard(hostA) || wildcard(hostB))
}

func cutPort(s string) (host, port string) {
	if i := strings.LastIndexByte(s, ':'); i >= 0 {
		return s[:i], s[i+1:]
	}
	return "", s
}

func wildcard(host string) bool {
	return host == "" || host == "0.0.0.0" || host == "::" || host == "[::]"
}

// settleClaims decides, for every slot that brings an instance to life, what
// must be stopped before it: its own old side, or whoever else holds what it
// claims.
func (b *builder) settleClaims() {
	for _, s := range b.slots {
		if !s.fresh() {
			continue
		}
		b.settleOwn(s)
		b.settleElsewhere(s)
	}
}

// settleOwn derives stop-first from the claims of the slot's own old side.
func (b *builder) settleOwn(s *slot) {
	want := s.want()
	for _, old := range s.runningOthers() {
		if c, ok := shared(want.Claims, old.Claims, any1); ok {
			s.stopFirst, s.why = true, c.String()
			return
		}
	}
	if b.policy(s).Order == resource.StopFirst && len(s.runningOthers()) > 0 {
		s.stopFirst, s.why = true, "asked for"
	}
}

func (b *builder) settleElsewhere(s *slot) {
	for _, h := range b.holders {
		if h.key == s.pair.Key || h.slot != nil && !h.slot.leaves(h.inst) {
			continue
		}
		c, ok := shared(s.want().Claims, h.inst.Claims, any1)
		if !ok {
			continue
		}
		s.early = append(s.early, b.stopEarly(h, c, s.pair.Key))
		if h.slot != nil {
			h.slot.stopFirst, h.slot.why = true, fmt.Sprintf("%s goes to %s", c, s.pair.Key)
		}
	}
}

// leaves tells whether inst will not be part of the slot when the plan is done.
func (s *slot) leaves(inst resource.Instance) bool {
	for _, o := range s.others() {
		if o.Ref == inst.Ref {
			return true
		}
	}
	return false
}

// stopEarly stops a holder before anything else, once.
func (b *builder) stopEarly(h holder, c resource.Claim, forSlot resource.Key) int {
	if id, done := b.stops[h.inst.Ref.ID]; done {
		return id
	}
	id := b.add(Step{Verb: Stop, Key: h.key, Ref: h.inst.Ref, Cause: fmt.Sprintf("%s needs its %s", forSlot, c)})
	b.stops[h.inst.Ref.ID] = id
	return id
}

func (b *builder) findHolders() {
	for _, p := range b.req.Pairs {
		for _, inst := range p.Live {
			if inst.Running {
				b.holders = append(b.holders, holder{key: p.Key, inst: inst, slot: b.byKey[p.Key]})
			}
		}
	}
}
