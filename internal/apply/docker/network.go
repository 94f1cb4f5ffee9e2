package docker

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/network"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// storedNetwork says want with everything left out that the engine has by
// default. Of an external network only the name is looked at.
func storedNetwork(want spec.Network) spec.Network {
	if want.External {
		return spec.Network{Name: want.Name, External: true}
	}
	want.Driver = unless(want.Driver, modeBridge)
	if want.Driver == "" { // means something across hosts only, and old Compose sets it always
		want.Attachable = false
	}
	want.Options, want.Labels = unempty(want.Options), ownLabels(want.Labels)
	want.Labels = unempty(want.Labels)
	want.IPAM = storedIPAM(want.IPAM)
	return want
}

func storedIPAM(p *spec.IPAM) *spec.IPAM {
	if p == nil {
		return nil
	}
	out := spec.IPAM{Driver: unless(p.Driver, modeDefault), Options: unempty(p.Options), Config: slices.Clone(p.Config)}
	for i := range out.Config {
		out.Config[i].AuxAddresses = unempty(out.Config[i].AuxAddresses)
	}
	slices.SortFunc(out.Config, func(a, b spec.Subnet) int { return strings.Compare(a.Subnet, b.Subnet) })
	if out.Driver == "" && out.Options == nil && len(out.Config) == 0 {
		return nil
	}
	return &out
}

// liveNetwork says n in the same form. What neither want nor the network's own
// label declares was chosen by the engine.
func liveNetwork(n network.Inspect, want *spec.Network) spec.Network {
	if want != nil && want.External {
		return spec.Network{Name: n.Name, External: true}
	}
	names := splitNames(n.Labels[labelDeclared])
	if want != nil {
		names = append(names, declaredNetwork(*want)...)
	}
	out := spec.Network{
		Name: n.Name, Driver: unless(n.Driver, modeBridge), Internal: n.Internal, Attachable: n.Attachable,
		EnableIPv6: n.EnableIPv6, Labels: unempty(ownLabels(n.Labels)), Options: maps.Clone(n.Options),
	}
	maps.DeleteFunc(out.Options, func(key, _ string) bool { return !slices.Contains(names, "option."+key) })
	out.Options = unempty(out.Options)
	out.Attachable = out.Attachable && out.Driver != ""
	if slices.Contains(names, "ipam") {
		out.IPAM = liveIPAM(n.IPAM, want)
	}
	return out
}

func declaredNetwork(n spec.Network) []string {
	var names []string
	for key := range n.Options {
		names = append(names, "option."+key)
	}
	if storedIPAM(n.IPAM) != nil {
		names = append(names, "ipam")
	}
	slices.Sort(names)
	return names
}

// liveIPAM keeps of each subnet what the wanted one says, and drops the subnets
// of an address family of which none is wanted.
func liveIPAM(have network.IPAM, want *spec.Network) *spec.IPAM {
	declared := &spec.IPAM{}
	if want != nil && want.IPAM != nil {
		declared = want.IPAM
	}
	out := &spec.IPAM{Driver: have.Driver, Options: have.Options}
	for _, c := range have.Config {
		subnet := spec.Subnet{Subnet: c.Subnet, Gateway: c.Gateway, IPRange: c.IPRange, AuxAddresses: c.AuxAddress}
		at := slices.IndexFunc(declared.Config, func(s spec.Subnet) bool { return s.Subnet == c.Subnet })
		if at >= 0 && declared.Config[at].Gateway == "" {
			subnet.Gateway = ""
		}
		if at >= 0 || sameFamily(declared.Config, c.Subnet) || len(declared.Config) == 0 {
			out.Config = append(out.Config, subnet)
		}
	}
	if len(declared.Config) == 0 && want != nil && want.IPAM != nil {
		out.Config = nil
	}
	return storedIPAM(out)
}

func sameFamily(declared []spec.Subnet, subnet string) bool {
	return slices.ContainsFunc(declared, func(s spec.Subnet) bool {
		return strings.Contains(s.Subnet, ":") == strings.Contains(subnet, ":")
	})
}

func (t *Target) observeNetwork(s *snapshot, p *resource.Pair) error {
	var want *spec.Network
	if p.Want != nil {
		n, err := decode[spec.Network](*p.Want)
		if err != nil {
			return err
		}
		n = storedNetwork(n)
		if p.Stored, err = resource.Canonical(n); err != nil {
			return err
		}
		want = &n
	}
	for _, n := range s.networksOf(p.Key, want) {
		raw, err := resource.Canonical(liveNetwork(n, want))
		if err != nil {
			return err
		}
		p.Live = append(p.Live, resource.Instance{
			Ref: resource.Ref{ID: n.ID}, Hash: n.Labels[labelHash], Spec: raw, Running: true,
			Health: resource.Health{State: resource.Well, Started: true},
		})
		t.judgeNetwork(s, n, want, p)
	}
	return nil
}

// judgeNetwork tells whether the pair's last instance is somebody else's. One of
// the project that is as it is wanted is used, whoever made it: nothing of it
// would be touched.
func (t *Target) judgeNetwork(s *snapshot, n network.Inspect, want *spec.Network, p *resource.Pair) {
	live := &p.Live[len(p.Live)-1]
	used := n.Labels[labelProject] == s.project && want != nil && bytes.Equal(live.Spec, p.Stored)
	if used || want != nil && want.External || t.isAdopted(n.ID) {
		return
	}
	ours, by := t.base(s, n.Labels, func(f found) bool { return f.on(n.ID) })
	live.Foreign, live.Maker = !ours, by
}

// on tells whether the container is on the network with this ID.
func (f found) on(network string) bool {
	if f.NetworkSettings == nil {
		return false
	}
	for _, e := range f.NetworkSettings.Networks {
		if e != nil && e.NetworkID == network {
			return true
		}
	}
	return false
}

// networksOf returns the networks in a slot: by the wanted name, and by label.
func (s *snapshot) networksOf(key resource.Key, want *spec.Network) []network.Inspect {
	var out []network.Inspect
	for _, n := range s.networks {
		named := want != nil && n.Name == want.Name
		labelled := n.Labels[labelProject] == s.project && n.Labels[labelNetwork] == key.Name && !(want != nil && want.External)
		if named || labelled {
			out = append(out, n)
		}
	}
	return out
}
