package docker

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/network"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

func (t *Target) putNetwork(ctx context.Context, o resource.Object) (resource.Ref, error) {
	want, err := decode[spec.Network](o)
	if err != nil {
		return resource.Ref{}, err
	}
	n, err := t.oneNetwork(ctx, want.Name)
	if err != nil {
		return resource.Ref{}, err
	}
	if n != nil {
		return t.reuseNetwork(*n, want)
	}
	if want.External {
		return resource.Ref{}, rejected("create it: `docker network create "+want.Name+"`", "external network %s does not exist", want.Name)
	}
	limited, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	created, err := t.engine.api.NetworkCreate(limited, want.Name, t.networkOptions(o, want))
	if err != nil {
		return resource.Ref{}, t.engine.classify(ctx, "create network "+want.Name, err)
	}
	if n, err = t.oneNetwork(ctx, want.Name); err != nil || n == nil {
		return resource.Ref{ID: created.ID}, err
	}
	return resource.Ref{ID: n.ID}, nil
}

// oneNetwork returns the network with this name; nil where there is none. Of two
// that come at once an engine may make both, and can use neither by its name: the
// first stays, and what is ours of the others goes.
func (t *Target) oneNetwork(ctx context.Context, name string) (*network.Inspect, error) {
	list, err := t.engine.networks(ctx)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(n network.Inspect) bool { return n.Name != name })
	if len(list) == 0 {
		return nil, nil //nolint:nilnil // documented: there is none
	}
	slices.SortFunc(list, func(a, b network.Inspect) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) })
	for _, n := range list[1:] {
		if !(&snapshot{project: t.project}).mayTouch(n.Labels, t.engine.opts.Agent, false) {
			continue
		}
		if err := t.engine.removeNetwork(ctx, resource.Ref{ID: n.ID}); err != nil {
			return nil, err
		}
	}
	return &list[0], nil
}

func (e *Engine) networks(ctx context.Context) ([]network.Inspect, error) {
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	list, err := e.api.NetworkList(limited, network.ListOptions{})
	if err != nil {
		return nil, e.classify(ctx, "list networks", err)
	}
	return list, nil
}

func (t *Target) reuseNetwork(n network.Inspect, want spec.Network) (resource.Ref, error) {
	stored := storedNetwork(want)
	same, err := equal(stored, liveNetwork(n, &stored))
	if err != nil {
		return resource.Ref{}, err
	}
	if !same {
		return resource.Ref{}, rejected("remove the old network first; its containers are made anew",
			"put network %s: one with this name exists and differs", want.Name)
	}
	return resource.Ref{ID: n.ID}, nil
}

func (t *Target) networkOptions(o resource.Object, want spec.Network) network.CreateOptions {
	labels := maps.Clone(want.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	t.commonLabels(labels, o)
	labels[labelNetwork], labels[labelDeclared] = o.Key.Name, joinNames(declaredNetwork(want))
	out := network.CreateOptions{
		Driver: cmp.Or(want.Driver, modeBridge), Options: want.Options, Internal: want.Internal, Attachable: want.Attachable, Labels: labels,
	}
	if want.EnableIPv6 {
		out.EnableIPv6 = &want.EnableIPv6
	}
	if p := want.IPAM; p != nil {
		out.IPAM = &network.IPAM{Driver: cmp.Or(p.Driver, modeDefault), Options: p.Options}
		for _, c := range p.Config {
			out.IPAM.Config = append(out.IPAM.Config, network.IPAMConfig{
				Subnet: c.Subnet, Gateway: c.Gateway, IPRange: c.IPRange, AuxAddress: c.AuxAddresses,
			})
		}
	}
	return out
}

// removeNetwork says who is still on the network when the engine refuses.
func (e *Engine) removeNetwork(ctx context.Context, ref resource.Ref) error {
	limited, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	if err := e.withoutGates(ctx, ref.ID); err != nil && !gone(err) {
		return err
	}
	err := e.api.NetworkRemove(limited, ref.ID)
	if err == nil || gone(err) {
		return nil
	}
	n, inspectErr := e.api.NetworkInspect(limited, ref.ID, network.InspectOptions{})
	if inspectErr != nil || len(n.Containers) == 0 {
		return e.classify(ctx, "remove network "+short(ref.ID), err)
	}
	var names []string
	for _, c := range n.Containers {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	return rejected("disconnect or remove these containers first",
		"remove network %s: still used by %s: %w", n.Name, strings.Join(names, ", "), fmt.Errorf("engine: %w", err))
}
