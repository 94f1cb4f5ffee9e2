package docker

import (
	"slices"

	"syncd.io/syncd/internal/spec"
)

// mendable is a field that an engine changes on a living container, and how to copy
// it from one to another.
type mendable struct {
	pointer string
	can     func(want spec.Container) bool
	copy    func(to *spec.Container, from spec.Container)
}

// mendables are all such fields. A limit can be changed, but not taken away: there
// the API takes a zero for "as it was".
func mendables() []mendable {
	return []mendable{
		{"/name", always, func(to *spec.Container, from spec.Container) { to.Name = from.Name }},
		{"/restart", always, func(to *spec.Container, from spec.Container) { to.Restart = from.Restart }},
		{"/resources/memory", func(w spec.Container) bool { return w.Resources.Memory != 0 },
			func(to *spec.Container, from spec.Container) { to.Resources.Memory = from.Resources.Memory }},
		{"/resources/memswap_limit", func(w spec.Container) bool { return w.Resources.Memory != 0 || w.Resources.MemorySwap != 0 },
			func(to *spec.Container, from spec.Container) { to.Resources.MemorySwap = from.Resources.MemorySwap }},
		{"/resources/memory_reservation", func(w spec.Container) bool { return w.Resources.MemoryReservation != 0 },
			func(to *spec.Container, from spec.Container) {
				to.Resources.MemoryReservation = from.Resources.MemoryReservation
			}},
		{"/resources/cpus", func(w spec.Container) bool { return w.Resources.NanoCPUs != 0 },
			func(to *spec.Container, from spec.Container) { to.Resources.NanoCPUs = from.Resources.NanoCPUs }},
		{"/resources/cpu_shares", func(w spec.Container) bool { return w.Resources.CPUShares != 0 },
			func(to *spec.Container, from spec.Container) { to.Resources.CPUShares = from.Resources.CPUShares }},
		{"/resources/cpu_period", func(w spec.Container) bool { return w.Resources.CPUPeriod != 0 },
			func(to *spec.Container, from spec.Container) { to.Resources.CPUPeriod = from.Resources.CPUPeriod }},
		{"/resources/cpu_quota", func(w spec.Container) bool { return w.Resources.CPUQuota != 0 },
			func(to *spec.Container, from spec.Container) { to.Resources.CPUQuota = from.Resources.CPUQuota }},
		{"/resources/cpuset", func(w spec.Container) bool { return w.Resources.CPUSet != "" },
			func(to *spec.Container, from spec.Container) { to.Resources.CPUSet = from.Resources.CPUSet }},
		{"/resources/pids_limit", always,
			func(to *spec.Container, from spec.Container) { to.Resources.PidsLimit = from.Resources.PidsLimit }},
		{"/resources/blkio_weight", func(w spec.Container) bool { return w.Resources.BlkioWeight != 0 },
			func(to *spec.Container, from spec.Container) { to.Resources.BlkioWeight = from.Resources.BlkioWeight }},
	}
}

const (
	pointerState    = "/state"
	pointerNetworks = "/networks"
)

func always(spec.Container) bool { return true }

// inPlace returns the fields of c that Put can mend on all of these instances.
func (s *snapshot) inPlace(c *comparison, instances []found) []string {
	var out []string
	for _, m := range mendables() {
		if m.can(c.stored) {
			out = append(out, m.pointer)
		}
	}
	if !c.once {
		out = append(out, pointerState)
	}
	if !slices.ContainsFunc(instances, func(f found) bool { return !s.reconnectable(c.stored, f) || s.carries(c, f) }) {
		out = append(out, pointerNetworks)
	}
	slices.Sort(out)
	return out
}

// reconnectable tells whether f's networks can be changed while it lives: the
// network it was created on must be wanted still and be the same one, for the
// engine keeps it in the container's settings.
func (s *snapshot) reconnectable(want spec.Container, f found) bool {
	mode := string(f.HostConfig.NetworkMode)
	if !joins(mode) {
		return len(want.Networks) == 0
	}
	if name, ok := s.networkName(mode); ok { // made with an ID
		mode = name
	}
	if !slices.ContainsFunc(want.Networks, func(e spec.Endpoint) bool { return e.Name == mode }) {
		return false
	}
	for _, e := range f.NetworkSettings.Networks {
		if _, ok := s.networkName(e.NetworkID); e.NetworkID != "" && !ok {
			return false
		}
	}
	return true
}

// carries tells whether a gate may reach f over a network that f would have to
// leave, or join otherwise: what is in flight there would break.
func (s *snapshot) carries(c *comparison, f found) bool {
	if !f.State.Running {
		return false
	}
	for _, have := range s.live(f, &imageFacts{absent: true}, &c.stored, c.once).Networks {
		stays := slices.ContainsFunc(c.stored.Networks, func(e spec.Endpoint) bool { return sameEndpoint(e, have) })
		if !stays && slices.ContainsFunc(s.gates, func(g found) bool {
			return gateSlot(g.labels()).Namespace == f.slot.Namespace && slices.Contains(g.networks(), have.Name)
		}) {
			return true
		}
	}
	return false
}

// fixed returns c without the fields of inPlace.
func fixed(c spec.Container, inPlace []string) spec.Container {
	for _, m := range mendables() {
		if slices.Contains(inPlace, m.pointer) {
			m.copy(&c, spec.Container{})
		}
	}
	c.State = ""
	if slices.Contains(inPlace, pointerNetworks) {
		c.Networks = nil
	}
	return c
}
