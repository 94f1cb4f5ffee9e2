package applytest

import (
	"fmt"
	"slices"
	"strings"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// rival returns a running instance that holds what i claims, with the claim.
func (m *Memory) rival(i *instance) (*instance, resource.Claim) {
	for _, o := range m.all() {
		if o == i || !o.alive() {
			continue
		}
		for _, c := range i.object.Claims {
			if m.collides(i, o, c) {
				return o, c
			}
		}
	}
	return nil, resource.Claim{}
}

// collides tells whether o holds i's claim c. Writers collide within one slot,
// and with what nobody wants any more: services may share a volume on purpose.
func (m *Memory) collides(i, o *instance, c resource.Claim) bool {
	_, wanted := m.wanted[o.object.Key]
	if c.Kind == resource.ClaimWriter && wanted && o.object.Key != i.object.Key {
		return false
	}
	return slices.ContainsFunc(o.object.Claims, func(h resource.Claim) bool {
		return h.Kind == c.Kind && meet(c.Kind, h.Value, c.Value)
	})
}

func meet(kind resource.ClaimKind, a, b string) bool {
	switch kind {
	case resource.ClaimPort:
		a, b = strings.Replace(a, "[::]", "0.0.0.0", 1), strings.Replace(b, "[::]", "0.0.0.0", 1)
		portA, portB := a[strings.LastIndex(a, ":")+1:], b[strings.LastIndex(b, ":")+1:]
		return portA == portB && (a == b || strings.HasPrefix(a, "0.0.0.0:") || strings.HasPrefix(b, "0.0.0.0:"))
	case resource.ClaimWriter:
		a, _, _ = strings.Cut(a, " for ")
		b, _, _ = strings.Cut(b, " for ")
	}
	return a == b
}

// breach books that the caller broke a rule, and refuses.
func (m *Memory) breach(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	m.broken = append(m.broken, err.Error())
	return fault.As(fault.Rejected, err)
}

// Broken returns the rules of the target that its caller broke, one line each:
// two running instances of one claim, a network removed under its users, a
// reference to nothing. A good plan breaks none.
func (m *Memory) Broken() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.broken)
}
