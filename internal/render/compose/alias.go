package compose

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

const aliasField = gateField + ".alias"

// alias takes the service's names off its containers and gives them to its gate.
// A gate holds one port, so that the service may have one only; and whoever else
// answered to one of the names would get half of what is meant for the gate.
func (a *app) alias(s types.ServiceConfig, c *spec.Container, routes []resource.Object) ([]resource.Object, error) {
	if len(routes) != 1 {
		return nil, a.reject(s.Name, aliasField, "publish one TCP port, once", "%d published ports would be as many gates of one name", len(routes))
	}
	if other := a.otherPort(*c); other != "" {
		return nil, a.reject(s.Name, aliasField, "give that port to a service of its own, or take `alias` out", "the service declares port %s too, and its gate answers at one port only", other)
	}
	names, err := a.namesOf(s, *c)
	if err != nil {
		return nil, err
	}
	for i := range c.Networks {
		c.Networks[i].Aliases = nil
	}
	var r spec.Route
	if err := json.Unmarshal(routes[0].Spec, &r); err != nil {
		return nil, fmt.Errorf("read %s: %w", routes[0].Key, err)
	}
	r.Aliases = names
	o, err := a.encode(routes[0], r)
	return []resource.Object{o}, err
}

// otherPort is a port that the service declares besides the one of its gate; empty
// where there is none.
func (a *app) otherPort(c spec.Container) string {
	gated := ""
	for _, p := range c.Ports {
		if p.PastGates() == "" {
			gated = strconv.Itoa(p.Target) + "/" + p.Protocol
		}
	}
	declared := slices.Clone(c.Expose)
	for _, p := range c.Ports {
		declared = append(declared, strconv.Itoa(p.Target)+"/"+p.Protocol)
	}
	for _, port := range declared {
		if port != gated {
			return port
		}
	}
	return ""
}

// namesOf returns the service's names in each of its networks, by the engine's
// name of that, where nobody else has one of them.
func (a *app) namesOf(s types.ServiceConfig, c spec.Container) (map[string][]string, error) {
	out := map[string][]string{}
	for _, e := range c.Networks {
		if len(e.Aliases) == 0 {
			continue
		}
		if a.project.Networks[e.Network].External {
			return nil, a.reject(s.Name, aliasField, "take the service off it, or `alias` out", "network %s is external, and nobody knows who else answers there", e.Network)
		}
		for _, name := range a.project.ServiceNames() {
			if has := a.answers(s.Name, a.project.Services[name], e); has != "" {
				return nil, a.reject(s.Name, aliasField, "give one of them another name", "%s in network %s too", has, e.Network)
			}
		}
		out[e.Name] = e.Aliases
	}
	if len(out) == 0 {
		return nil, a.reject(s.Name, aliasField, "", "the service has no name in its networks")
	}
	return out, nil
}

// answers says how a service's containers answer to one of the names of an
// endpoint of the gated service; empty where they do not.
func (a *app) answers(gated string, s types.ServiceConfig, e spec.Endpoint) string {
	in, there := s.Networks[e.Network]
	for _, l := range s.Links {
		if to, _, _ := strings.Cut(l, ":"); to == gated {
			return "service " + s.Name + " links to its containers"
		}
	}
	switch {
	case !there:
		return ""
	case slices.Contains(e.Aliases, s.ContainerName):
		return "the container of service " + s.Name + " is called " + s.ContainerName
	case s.Name == gated:
		return ""
	case slices.Contains(e.Aliases, s.Name) && in.ServiceNameAliasEnabled():
		return "service " + s.Name + " answers to " + s.Name
	case in == nil:
		return ""
	}
	for _, alias := range in.Aliases {
		if slices.Contains(e.Aliases, alias) {
			return "service " + s.Name + " answers to " + alias
		}
	}
	return ""
}
