package compose

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// attached maps network_mode and networks.
func (a *app) attached(s types.ServiceConfig, c *spec.Container) error {
	if err := a.networkMode(s, c); err != nil {
		return err
	}
	for _, key := range s.NetworksByPriority() {
		e, err := a.endpoint(s, key, s.Networks[key])
		if err != nil {
			return err
		}
		c.Networks = append(c.Networks, e)
	}
	return nil
}

// networkMode takes the engine's modes; a network has its place in networks.
func (a *app) networkMode(s types.ServiceConfig, c *spec.Container) error {
	c.NetworkMode = s.NetworkMode
	switch {
	case s.NetworkMode == "default":
		c.NetworkMode = "bridge"
	case s.NetworkMode == "", s.NetworkMode == "bridge", s.NetworkMode == "host", s.NetworkMode == "none",
		strings.HasPrefix(s.NetworkMode, types.ServicePrefix), strings.HasPrefix(s.NetworkMode, types.ContainerPrefix):
	default:
		return a.reject(s.Name, "network_mode", "name the network under `networks`, with `external: true` where it is not the app's", "%q is none of bridge, host, none, service:NAME, container:NAME", s.NetworkMode)
	}
	return nil
}

func (a *app) endpoint(s types.ServiceConfig, key string, n *types.ServiceNetworkConfig) (spec.Endpoint, error) {
	e := spec.Endpoint{Network: key, Name: a.project.Networks[key].Name}
	if n == nil {
		e.Aliases = []string{s.Name}
		return e, nil
	}
	aliases := slices.Clone(n.Aliases)
	if n.ServiceNameAliasEnabled() {
		aliases = append(aliases, s.Name)
	}
	e.Aliases, e.LinkLocalIPs, e.MacAddress = set(aliases), set(n.LinkLocalIPs), n.MacAddress
	e.IPv4, e.IPv6 = n.Ipv4Address, n.Ipv6Address
	e.DriverOpts, e.Priority, e.GwPriority = filled(n.DriverOpts), n.Priority, n.GatewayPriority
	for _, ip := range []pair{{"ipv4_address", e.IPv4}, {"ipv6_address", e.IPv6}} {
		if _, err := netip.ParseAddr(ip.value); ip.value != "" && err != nil {
			return e, a.reject(s.Name, "networks."+key+"."+ip.field, "", "%q is no IP address", ip.value)
		}
	}
	if n.InterfaceName != "" {
		return e, a.reject(s.Name, "networks."+key+".interface_name", "`driver_opts: {com.docker.network.endpoint.ifname: NAME}` says it to engines that can", "not supported")
	}
	return e, nil
}

// shared makes the networks and volumes that services use.
func (a *app) shared() ([]resource.Object, error) {
	networks, volumes := map[string]bool{}, map[string]bool{}
	for _, s := range a.project.Services {
		for key := range s.Networks {
			networks[key] = true
		}
		for _, v := range s.Volumes {
			if v.Type == types.VolumeTypeVolume && v.Source != "" {
				volumes[v.Source] = true
			}
		}
	}
	var out []resource.Object
	for _, key := range slices.Sorted(maps.Keys(networks)) {
		n, err := a.network(key, a.project.Networks[key])
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	for _, key := range slices.Sorted(maps.Keys(volumes)) {
		v, err := a.volume(key, a.project.Volumes[key])
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (a *app) network(key string, n types.NetworkConfig) (resource.Object, error) {
	out := spec.Network{
		Name: n.Name, External: bool(n.External), Driver: n.Driver, Options: filled(n.DriverOpts),
		Internal: n.Internal, Attachable: n.Attachable, Labels: filled(n.Labels), IPAM: ipam(n.Ipam),
		EnableIPv6: n.EnableIPv6 != nil && *n.EnableIPv6,
	}
	if n.EnableIPv4 != nil && !*n.EnableIPv4 {
		return resource.Object{}, a.rejectIn("network", key, "enable_ipv4", "", "networks without IPv4 are not supported")
	}
	if name := reservedIn(n.Labels); name != "" {
		return resource.Object{}, a.rejectIn("network", key, "labels", "", "%s: this label is the engine's and syncd's own", name)
	}
	return a.encode(resource.Object{Key: resource.Key{Kind: spec.KindNetwork, Name: key}}, out)
}

func ipam(i types.IPAMConfig) *spec.IPAM {
	out := &spec.IPAM{Driver: i.Driver, Options: filled(i.Options)}
	for _, p := range i.Config {
		if p != nil {
			out.Config = append(out.Config, spec.Subnet{
				Subnet: p.Subnet, Gateway: p.Gateway, IPRange: p.IPRange, AuxAddresses: filled(p.AuxiliaryAddresses),
			})
		}
	}
	slices.SortFunc(out.Config, func(x, y spec.Subnet) int { return cmp.Compare(x.Subnet, y.Subnet) })
	if out.Driver == "" && out.Options == nil && out.Config == nil {
		return nil
	}
	return out
}
