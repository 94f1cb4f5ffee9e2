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

// routes makes a route of each published port that a gate is to serve, and takes
// it off the container: the gate publishes it.
func (a *app) routes(s types.ServiceConfig, c *spec.Container) ([]resource.Object, error) {
	x, err := a.extension(s)
	switch {
	case err != nil:
		return nil, err
	case x.Gate == "":
		return nil, a.bare(s, c, x, "`gate` says none")
	case !x.said && !publishes(s):
		return nil, a.bare(s, c, x, "the service publishes no port")
	}
	switch why := a.ungated(s, *c); {
	case why != "" && x.said:
		return nil, a.reject(s.Name, gateField, "take `gate` out, or write `gate: none`", "no gate can serve it: %s", why)
	case why != "":
		a.noteBypass(s.Name, x.gateOf, "the service", why)
		return nil, a.bare(s, c, x, why)
	}
	var out []resource.Object
	for _, p := range c.Ports {
		if why := p.PastGates(); why != "" {
			a.noteBypass(s.Name, x.gateOf, portText(p), why)
			continue
		}
		o, err := a.route(s, p, x)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	const none = "the service publishes no fixed TCP port"
	switch {
	case len(out) == 0 && x.said:
		return nil, a.reject(s.Name, gateField, "publish one, such as `ports: [\"8080:80\"]`, or take `gate` out", none)
	case len(out) == 0:
		return nil, a.bare(s, c, x, none)
	}
	if x.Alias {
		if out, err = a.alias(s, c, out); err != nil {
			return nil, err
		}
	}
	c.Ports = slices.DeleteFunc(slices.Clone(c.Ports), func(p spec.Port) bool { return p.PastGates() == "" })
	return out, nil
}

// bare leaves a service without a gate, for a reason: its drain is a pause before
// a stop, and what only gates do would be promised in vain.
func (a *app) bare(s types.ServiceConfig, c *spec.Container, x extensionOf, why string) error {
	c.Drain = x.Drain
	for _, asked := range []struct {
		key string
		is  bool
	}{{"canary", x.Canary != nil}, {"proxyProtocol", x.ProxyProtocol}, {"sticky", x.Sticky}} {
		if asked.is {
			return a.reject(s.Name, xSyncdKey+"."+asked.key, "take it out", "it needs a gate, and the service has none: %s", why)
		}
	}
	return nil
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
