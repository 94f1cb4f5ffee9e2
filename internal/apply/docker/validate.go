package docker

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/mount"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// Validate implements apply.Preparer. The engine's own judgement of a container
// is had by making one that never starts, under a throw-away name and without
// networks and named volumes, and removing it; what the engine judges only at
// start (ports, addresses) is looked at here.
func (t *Target) Validate(ctx context.Context, objects []resource.Object) error {
	if err := t.behindEdge(); err != nil {
		return err
	}
	if err := t.engine.sweepChecks(ctx, t.project); err != nil {
		return err
	}
	s, err := t.look(ctx)
	if err != nil {
		return err
	}
	holders, err := t.engine.portHolders(ctx, t.project)
	if err != nil {
		return err
	}
	if t.onHostNetwork(s) {
		holders = append(holders, holder{anything: true})
	}
	nets := wantedNetworks(objects)
	for _, o := range objects {
		switch o.Key.Kind {
		case spec.KindRoute:
			if err := t.validateRoute(ctx, o, holders); err != nil {
				return fmt.Errorf("validate %s: %w", o.Key, err)
			}
			continue
		case spec.KindContainer:
		default:
			continue
		}
		c, err := decode[spec.Container](o)
		if err != nil {
			return err
		}
		if err := t.validate(ctx, s, c, holders, nets); err != nil {
			return fmt.Errorf("validate service %s: %w", c.Service, err)
		}
	}
	return nil
}

func wantedNetworks(objects []resource.Object) map[string]spec.Network {
	out := map[string]spec.Network{}
	for _, o := range objects {
		if o.Key.Kind != spec.KindNetwork {
			continue
		}
		if n, err := decode[spec.Network](o); err == nil {
			out[n.Name] = n
		}
	}
	return out
}

func (t *Target) validate(ctx context.Context, s *snapshot, c spec.Container, holders []holder, nets map[string]spec.Network) error {
	if err := t.engine.supports(c); err != nil {
		return err
	}
	for _, p := range c.Ports {
		if err := t.engine.portFree(ctx, p, holders); err != nil {
			return err
		}
	}
	for _, e := range c.Networks {
		if err := addressFits(e, nets[e.Name]); err != nil {
			return err
		}
	}
	return t.tryCreate(ctx, s, c)
}

// addressFits sees that a fixed address lies in a subnet that the network
// declares.
func addressFits(e spec.Endpoint, n spec.Network) error {
	if n.External || n.Name == "" {
		return nil
	}
	for _, text := range []string{e.IPv4, e.IPv6} {
		if text == "" {
			continue
		}
		address, err := netip.ParseAddr(text)
		if err != nil {
			return rejected("write it as an IP address", "networks.%s: address %q: %w", e.Network, text, err)
		}
		if !inSubnets(address, n.IPAM) {
			return rejected("give the network an ipam.config.subnet that holds the address",
				"networks.%s: address %s is in no subnet of the network", e.Network, text)
		}
	}
	return nil
}

func inSubnets(address netip.Addr, plan *spec.IPAM) bool {
	if plan == nil {
		return false
	}
	for _, c := range plan.Config {
		if prefix, err := netip.ParsePrefix(c.Subnet); err == nil && prefix.Contains(address) {
			return true
		}
	}
	return false
}

// tryCreate lets the engine judge c.
func (t *Target) tryCreate(ctx context.Context, s *snapshot, c spec.Container) error {
	f := write(c)
	f.config.Image = cmp.Or(c.Pin, c.Image)
	f.config.Labels = map[string]string{labelCheck: t.project}
	harmless(f.host)
	if err := t.materialised(s, f.host); err != nil {
		return err
	}
	platform, err := parsePlatform(c.Platform)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	made, err := t.engine.api.ContainerCreate(limited, f.config, f.host, nil, platform, "syncd-check-"+strings.ToLower(rand.Text()))
	if err != nil {
		return t.engine.refused(ctx, "the engine refuses its settings", c, err)
	}
	return t.engine.discard(ctx, made.ID)
}

// harmless takes from h what would need, or make, something else on the engine.
func harmless(h *container.HostConfig) {
	h.NetworkMode, h.Links, h.VolumesFrom = modeNone, nil, nil
	if shared(string(h.IpcMode)) {
		h.IpcMode = ""
	}
	if shared(string(h.PidMode)) {
		h.PidMode = ""
	}
	for i, m := range h.Mounts {
		if m.Type == mount.TypeVolume {
			h.Mounts[i].Source = ""
		}
		if m.VolumeOptions != nil {
			h.Mounts[i].VolumeOptions.Subpath = ""
		}
	}
}

// sweepChecks removes what an interrupted Validate left.
func (e *Engine) sweepChecks(ctx context.Context, project string) error {
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	list, err := e.api.ContainerList(limited, container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("label", labelCheck+"="+project))})
	if err != nil {
		return e.classify(ctx, "list containers", err)
	}
	for _, c := range list {
		if err := e.discard(ctx, c.ID); err != nil {
			return err
		}
	}
	return nil
}
