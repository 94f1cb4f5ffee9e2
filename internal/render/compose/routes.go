package compose

import (
	"net"
	"slices"
	"time"

	"github.com/compose-spec/compose-go/v2/types"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// drainMargin is what a route has for its change beyond the time of its drain.
const drainMargin = 30 * time.Second

// routes makes a route of each published port that x-syncd.gate is to serve, and
// takes it off the container: the gate publishes it.
func (a *app) routes(s types.ServiceConfig, c *spec.Container) ([]resource.Object, error) {
	x, err := a.extension(s)
	if err != nil || x.Gate == "" {
		c.Drain = x.Drain
		return nil, err
	}
	if why := a.unreachable(*c); why != "" {
		return nil, a.reject(s.Name, xSyncdKey+".gate", "take `gate` out", "no gate can serve it: %s", why)
	}
	var out []resource.Object
	for _, p := range c.Ports {
		if p.Protocol != "tcp" || !fixed(p) {
			a.noteField(s.Name, xSyncdKey+".gate", "port %d/%s bypasses the gate, which serves fixed TCP ports only", p.Target, p.Protocol)
			continue
		}
		o, err := a.route(s, p, x)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	if len(out) == 0 {
		return nil, a.reject(s.Name, xSyncdKey+".gate", "", "the service publishes no fixed TCP port")
	}
	c.Ports = slices.DeleteFunc(slices.Clone(c.Ports), func(p spec.Port) bool { return p.Protocol == "tcp" && fixed(p) })
	return out, nil
}

// unreachable says why a gate cannot get to the container; empty where it can.
func (a *app) unreachable(c spec.Container) string {
	if c.NetworkMode != "" {
		return "network_mode is " + c.NetworkMode
	}
	for _, e := range c.Networks {
		if n, known := a.project.Networks[e.Network]; !known || !n.Internal {
			return ""
		}
	}
	return "it is on internal networks only, and these are not published"
}

func (a *app) route(s types.ServiceConfig, p spec.Port, x extensionOf) (resource.Object, error) {
	o := resource.Object{
		Key:    resource.Key{Kind: spec.KindRoute, Namespace: s.Name, Name: routeName(p)},
		Group:  s.Name,
		Claims: []resource.Claim{{Kind: resource.ClaimPort, Value: address(p) + "/" + p.Protocol}},
	}
	o.Policy.Ready, o.Rollback.Ready = x.Drain+drainMargin, x.Drain+drainMargin
	return a.encode(o, spec.Route{Service: s.Name, Mode: x.Gate, Port: p, Drain: x.Drain, ProxyProtocol: x.ProxyProtocol, Sticky: x.Sticky})
}

func routeName(p spec.Port) string {
	if p.HostIP == "" {
		return p.Published
	}
	return net.JoinHostPort(p.HostIP, p.Published)
}
