package docker

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/go-connections/nat"

	"syncd.io/syncd/internal/spec"
)

func writePorts(c spec.Container, f form) {
	exposed, bindings := nat.PortSet{}, nat.PortMap{}
	for _, p := range c.Ports {
		port := nat.Port(strconv.Itoa(p.Target) + "/" + cmp.Or(p.Protocol, "tcp"))
		exposed[port] = struct{}{}
		bindings[port] = append(bindings[port], nat.PortBinding{HostIP: p.HostIP, HostPort: p.Published})
	}
	for _, e := range c.Expose {
		for _, port := range spreadPorts(e) {
			exposed[port] = struct{}{}
		}
	}
	if len(exposed) > 0 {
		f.config.ExposedPorts = exposed
	}
	if len(bindings) > 0 {
		f.host.PortBindings = bindings
	}
}

// spreadPorts reads "8080", "8080/udp" or "8000-8010/tcp". What is no port is
// passed on as it is, for the engine to refuse.
func spreadPorts(text string) []nat.Port {
	ports, protocol, _ := strings.Cut(text, "/")
	protocol = cmp.Or(strings.ToLower(protocol), "tcp")
	first, last, err := nat.ParsePortRangeToInt(ports)
	if err != nil {
		return []nat.Port{nat.Port(text)}
	}
	out := make([]nat.Port, 0, last-first+1)
	for p := first; p <= last; p++ {
		out = append(out, nat.Port(strconv.Itoa(p)+"/"+protocol))
	}
	return out
}

func readPorts(f form, c *spec.Container, image *imageFacts) {
	for port, bindings := range f.host.PortBindings {
		for _, b := range bindings {
			c.Ports = append(c.Ports, spec.Port{
				HostIP: b.HostIP, Published: unless(b.HostPort, "0"), Target: port.Int(), Protocol: port.Proto(),
			})
		}
	}
	slices.SortFunc(c.Ports, comparePorts)
	c.Ports = slices.Compact(c.Ports)
	for port := range f.config.ExposedPorts {
		_, published := f.host.PortBindings[port]
		if !published && !image.exposes(port) {
			c.Expose = append(c.Expose, string(port))
		}
	}
	slices.Sort(c.Expose)
}

func comparePorts(a, b spec.Port) int {
	return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.Protocol, b.Protocol),
		cmp.Compare(a.HostIP, b.HostIP), cmp.Compare(len(a.Published), len(b.Published)), cmp.Compare(a.Published, b.Published))
}
