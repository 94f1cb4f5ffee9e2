package docker

import (
	"cmp"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"syncd.io/syncd/internal/spec"
)

// Modes of the engine that are no networks of their own.
const (
	modeBridge  = "bridge"
	modeDefault = "default"
	modeHost    = "host"
	modeNone    = "none"
)

// shared tells whether a namespace mode refers to another container.
func shared(mode string) bool {
	return strings.HasPrefix(mode, "container:") || strings.HasPrefix(mode, "service:")
}

// predefined tells whether a network mode is one of the engine's own.
func predefined(mode string) bool {
	return mode == modeBridge || mode == modeDefault || mode == modeHost || mode == modeNone || mode == ""
}

// joins tells whether a container with this mode joins the networks it names.
func joins(mode string) bool { return !predefined(mode) && !shared(mode) }

// writeNetworks puts the endpoint of highest priority first: it is the one that
// the container is created with.
func writeNetworks(c spec.Container, f form) {
	h := f.host
	h.DNS, h.DNSOptions, h.DNSSearch = c.DNS, c.DNSOptions, c.DNSSearch
	h.ExtraHosts = extraHosts(c.ExtraHosts)
	f.config.MacAddress = c.MacAddress //nolint:staticcheck // what engines before API 1.44 know
	if c.NetworkMode != "" || len(c.Networks) == 0 {
		h.NetworkMode = container.NetworkMode(cmp.Or(c.NetworkMode, modeBridge))
		h.Links = c.Links
	}
	for _, e := range byPriority(c.Networks) {
		if h.NetworkMode == "" {
			h.NetworkMode = container.NetworkMode(e.Name)
		}
		f.endpoints[e.Name] = writeEndpoint(e, c.Links)
	}
}

func byPriority(endpoints []spec.Endpoint) []spec.Endpoint {
	out := slices.Clone(endpoints)
	slices.SortStableFunc(out, func(a, b spec.Endpoint) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.Name, b.Name))
	})
	return out
}

func writeEndpoint(e spec.Endpoint, links []string) *network.EndpointSettings {
	s := &network.EndpointSettings{
		Aliases: slices.Clone(e.Aliases), Links: slices.Clone(links), MacAddress: e.MacAddress, DriverOpts: e.DriverOpts, GwPriority: e.GwPriority,
	}
	if e.IPv4 != "" || e.IPv6 != "" || len(e.LinkLocalIPs) > 0 {
		s.IPAMConfig = &network.EndpointIPAMConfig{IPv4Address: e.IPv4, IPv6Address: e.IPv6, LinkLocalIPs: e.LinkLocalIPs}
	}
	return s
}

func readNetworks(f form, c *spec.Container) {
	h := f.host
	c.DNS, c.DNSOptions, c.DNSSearch = filled(h.DNS), filled(h.DNSOptions), filled(h.DNSSearch)
	c.ExtraHosts = extraHosts(h.ExtraHosts)
	c.MacAddress = strings.ToLower(f.config.MacAddress) //nolint:staticcheck // what engines before API 1.44 know
	primary := string(h.NetworkMode)
	if !joins(primary) {
		c.NetworkMode = primary
		if primary == modeDefault || primary == "" {
			c.NetworkMode = modeBridge
		}
	}
	links := slices.Clone(h.Links)
	for name, s := range f.endpoints {
		e := readEndpoint(name, s)
		if name == primary || name == modeBridge && c.NetworkMode == modeBridge {
			c.MacAddress, e.MacAddress = cmp.Or(c.MacAddress, e.MacAddress), ""
		}
		links = append(links, s.Links...)
		if name != c.NetworkMode {
			c.Networks = append(c.Networks, e)
		}
	}
	c.Links = sorted(links)
	slices.SortFunc(c.Networks, func(a, b spec.Endpoint) int { return cmp.Compare(a.Name, b.Name) })
}

func readEndpoint(name string, s *network.EndpointSettings) spec.Endpoint {
	e := spec.Endpoint{
		Name: name, Aliases: sorted(s.Aliases), MacAddress: strings.ToLower(s.MacAddress),
		DriverOpts: unempty(s.DriverOpts), GwPriority: s.GwPriority,
	}
	if i := s.IPAMConfig; i != nil {
		e.IPv4, e.IPv6, e.LinkLocalIPs = i.IPv4Address, i.IPv6Address, sorted(i.LinkLocalIPs)
	}
	return e
}

// extraHosts brings host=ip and host:[ip] into host:ip.
func extraHosts(lines []string) []string {
	out := slices.Clone(lines)
	for i, line := range out {
		if at := strings.IndexAny(line, ":="); at > 0 {
			out[i] = line[:at] + ":" + strings.Trim(line[at+1:], "[]")
		}
	}
	return sorted(out)
}
