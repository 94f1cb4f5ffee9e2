package compose

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"syncd.io/syncd/internal/spec"
)

// published maps ports and expose, with ranges spread out.
func (a *app) published(s types.ServiceConfig, c *spec.Container) error {
	for _, p := range s.Ports {
		port, err := a.port(s, p)
		if err != nil {
			return err
		}
		c.Ports = append(c.Ports, port)
	}
	slices.SortFunc(c.Ports, comparePorts)
	c.Ports = slices.Compact(c.Ports)
	for _, p := range c.Ports {
		if n := rangeSize(p); n > 0 && n < a.replicas(s) {
			return a.reject(s.Name, "ports", "publish a longer range", "%d replicas cannot share the %d ports of %s", a.replicas(s), n, p.Published)
		}
	}
	if err := a.portsInMode(s, c); err != nil {
		return err
	}
	var err error
	c.Expose, err = a.exposed(s)
	return err
}

func comparePorts(x, y spec.Port) int {
	return cmp.Or(cmp.Compare(x.Target, y.Target), cmp.Compare(x.Protocol, y.Protocol),
		cmp.Compare(x.HostIP, y.HostIP), cmp.Compare(len(x.Published), len(y.Published)), cmp.Compare(x.Published, y.Published))
}

func (a *app) port(s types.ServiceConfig, p types.ServicePortConfig) (spec.Port, error) {
	out := spec.Port{HostIP: p.HostIP, Published: p.Published, Target: int(p.Target), Protocol: cmp.Or(strings.ToLower(p.Protocol), "tcp")}
	if p.Published == "0" {
		out.Published = ""
	}
	if out.Target < 1 || out.Target > 65535 {
		return out, a.reject(s.Name, "ports", "", "%d is no port", p.Target)
	}
	if _, _, ok := portRange(out.Published); out.Published != "" && !ok {
		return out, a.reject(s.Name, "ports", "", "%q is no port and no range of ports", p.Published)
	}
	switch out.Protocol {
	case "tcp", "udp", "sctp":
	default:
		return out, a.reject(s.Name, "ports", "", "%q is none of tcp, udp, sctp", p.Protocol)
	}
	if p.Name != "" || p.AppProtocol != "" || p.Mode == "host" {
		a.noteField(s.Name, "ports", "name, app_protocol and mode are ignored: they mean nothing on one engine")
	}
	return out, nil
}

// portRange reads "80" and "80-90".
func portRange(text string) (from, to int, ok bool) {
	first, last, isRange := strings.Cut(text, "-")
	if !isRange {
		last = first
	}
	from, errFrom := strconv.Atoi(first)
	to, errTo := strconv.Atoi(last)
	return from, to, errFrom == nil && errTo == nil && from >= 1 && to <= 65535 && from <= to
}

// portsInMode judges published ports where the service has no network of its
// own to publish from.
func (a *app) portsInMode(s types.ServiceConfig, c *spec.Container) error {
	if len(c.Ports) == 0 {
		return nil
	}
	switch {
	case s.NetworkMode == "host" || s.NetworkMode == "none":
		a.noteField(s.Name, "ports", "ignored: network_mode %s publishes nothing", s.NetworkMode)
		c.Ports = nil
	case strings.HasPrefix(s.NetworkMode, types.ServicePrefix) || strings.HasPrefix(s.NetworkMode, types.ContainerPrefix):
		return a.reject(s.Name, "ports", "publish the ports where the network is", "the service shares the network of %s", s.NetworkMode)
	}
	return nil
}

func (a *app) exposed(s types.ServiceConfig) ([]string, error) {
	var out []string
	for _, e := range s.Expose {
		ports, protocol, _ := strings.Cut(e, "/")
		from, to, ok := portRange(ports)
		if !ok || len(out)+to-from >= maxPorts {
			return nil, a.reject(s.Name, "expose", "", "%q is no port and no range of up to %d ports", e, maxPorts)
		}
		for n := from; n <= to; n++ {
			out = append(out, strconv.Itoa(n)+"/"+cmp.Or(strings.ToLower(protocol), "tcp"))
		}
	}
	return set(out), nil
}
