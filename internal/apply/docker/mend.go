package docker

import (
	"context"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/spec"
)

// mend brings a living or stopped instance to c, as far as the engine changes
// one: limits, networks, name, and whether it runs.
func (t *Target) mend(ctx context.Context, s *snapshot, c *comparison, f found) error {
	live, err := t.live(ctx, s, f, c)
	if err != nil {
		return err
	}
	if c.once && f.State.Status == container.StateExited {
		return t.settleName(ctx, s, f, c.want.Name)
	}
	if err := t.mendLimits(ctx, f.ID, c.stored, live); err != nil {
		return err
	}
	if err := t.mendNetworks(ctx, s, c, f, live); err != nil {
		return err
	}
	runs := f.State.Running || f.State.Restarting
	if !runs || strings.Contains(f.name(), starting) {
		return t.beginAgain(ctx, s, c, f)
	}
	if err := t.settleName(ctx, s, f, c.want.Name); err != nil {
		return err
	}
	return t.unpause(ctx, f)
}

func (t *Target) unpause(ctx context.Context, f found) error {
	if !f.State.Paused {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	return t.engine.classify(ctx, "unpause container "+short(f.ID), t.engine.api.ContainerUnpause(limited, f.ID))
}

// beginAgain starts what is stopped, and goes on with what was cut short.
func (t *Target) beginAgain(ctx context.Context, s *snapshot, c *comparison, f found) error {
	name, err := t.nameFor(ctx, s, f, c.want.Name)
	if err != nil {
		return err
	}
	now := unproven(name, c.want)
	if now != name && strings.Contains(f.name(), starting) {
		now = f.name()
	}
	if now != f.name() {
		if err := t.engine.rename(ctx, f.ID, now); err != nil {
			return err
		}
	}
	return t.begin(ctx, f.ID, name, c.want.PostStart)
}

// mendLimits sends one update with what differs; zero means "as it was".
func (t *Target) mendLimits(ctx context.Context, id string, want, live spec.Container) error {
	var u container.UpdateConfig
	w, l := want.Resources, live.Resources
	changed := false
	set := func(differs bool, apply func()) {
		if differs {
			apply()
			changed = true
		}
	}
	set(w.Memory != l.Memory || w.MemorySwap != l.MemorySwap, func() {
		u.Memory, u.MemorySwap = w.Memory, w.MemorySwap
		if w.MemorySwap == 0 {
			u.MemorySwap = 2 * w.Memory
		}
	})
	set(w.MemoryReservation != l.MemoryReservation, func() { u.MemoryReservation = w.MemoryReservation })
	set(w.NanoCPUs != l.NanoCPUs, func() { u.NanoCPUs = w.NanoCPUs })
	set(w.CPUShares != l.CPUShares, func() { u.CPUShares = w.CPUShares })
	set(w.CPUPeriod != l.CPUPeriod || w.CPUQuota != l.CPUQuota, func() { u.CPUPeriod, u.CPUQuota = w.CPUPeriod, w.CPUQuota })
	set(w.CPUSet != l.CPUSet, func() { u.CpusetCpus = w.CPUSet })
	set(w.PidsLimit != l.PidsLimit, func() { u.PidsLimit = &w.PidsLimit })
	set(w.BlkioWeight != l.BlkioWeight, func() { u.BlkioWeight = w.BlkioWeight })
	set(want.Restart != live.Restart, func() { u.RestartPolicy = restartPolicy(want.Restart) })
	if !changed {
		return nil
	}
	return t.engine.update(ctx, id, u)
}

func restartPolicy(r spec.RestartPolicy) container.RestartPolicy {
	return container.RestartPolicy{Name: container.RestartPolicyMode(r.Name), MaximumRetryCount: r.MaxRetries}
}

func (e *Engine) update(ctx context.Context, id string, u container.UpdateConfig) error {
	limited, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	if _, err := e.api.ContainerUpdate(limited, id, u); err != nil {
		return e.classify(ctx, "update container "+short(id), err)
	}
	return nil
}

// mendNetworks leaves every network that is not wanted, or joined otherwise than
// wanted, and joins those that are missing.
func (t *Target) mendNetworks(ctx context.Context, s *snapshot, c *comparison, f found, live spec.Container) error {
	want := c.stored.Networks
	for _, have := range live.Networks {
		keep := slices.ContainsFunc(want, func(e spec.Endpoint) bool { return sameEndpoint(e, have) })
		if keep {
			continue
		}
		if err := t.engine.disconnect(ctx, have.Name, f.ID); err != nil {
			return err
		}
	}
	all := write(c.want).endpoints
	if err := s.resolveEndpointLinks(all); err != nil {
		return err
	}
	for _, e := range byPriority(want) {
		if slices.ContainsFunc(live.Networks, func(have spec.Endpoint) bool { return sameEndpoint(e, have) }) {
			continue
		}
		if err := t.engine.connect(ctx, e.Name, f.ID, all[e.Name]); err != nil {
			return err
		}
	}
	return nil
}

func sameEndpoint(a, b spec.Endpoint) bool {
	same, err := equal(a, b)
	return err == nil && same
}

func (e *Engine) disconnect(ctx context.Context, network, id string) error {
	limited, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	if err := e.api.NetworkDisconnect(limited, network, id, true); err != nil && !gone(err) {
		return e.classify(ctx, "disconnect container "+short(id)+" from network "+network, err)
	}
	return nil
}
