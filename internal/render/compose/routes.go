package compose

import (
	"net"

	"github.com/compose-spec/compose-go/v2/types"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// routes makes a route for each published port that x-syncd.gate is to serve.
func (a *app) routes(s types.ServiceConfig, c spec.Container) ([]resource.Object, error) {
	x, err := a.extension(s)
	if err != nil || x.Gate == "" {
		return nil, err
	}
	var out []resource.Object
	for _, p := range c.Ports {
		if p.Protocol != "tcp" || !fixed(p) {
			continue
		}
		o, err := a.encode(resource.Object{
			Key:   resource.Key{Kind: spec.KindRoute, Namespace: s.Name, Name: routeName(p)},
			Group: s.Name,
		}, spec.Route{Service: s.Name, Mode: x.Gate, Port: p, Drain: x.Drain})
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	if len(out) == 0 {
		return nil, a.reject(s.Name, xSyncdKey+".gate", "", "the service publishes no fixed TCP port")
	}
	a.noteField(s.Name, xSyncdKey+".gate", "no gate serves routes yet: the container publishes its ports itself")
	return out, nil
}

func routeName(p spec.Port) string {
	if p.HostIP == "" {
		return p.Published
	}
	return net.JoinHostPort(p.HostIP, p.Published)
}
