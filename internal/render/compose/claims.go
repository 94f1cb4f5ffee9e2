package compose

import (
	"cmp"
	"fmt"
	"net"
	"slices"

	"github.com/compose-spec/compose-go/v2/types"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// claims are what an instance of the service holds alone while it lives.
func (a *app) claims(s types.ServiceConfig, c spec.Container) []resource.Claim {
	var out []resource.Claim
	for _, p := range c.Ports {
		if fixed(p) {
			out = append(out, resource.Claim{Kind: resource.ClaimPort, Value: address(p) + "/" + p.Protocol})
		}
	}
	if c.NetworkMode == "host" && a.replicas(s) == 1 {
		out = append(out, resource.Claim{Kind: resource.ClaimPort, Value: "host network of " + s.Name})
	}
	if s.ContainerName != "" {
		out = append(out, resource.Claim{Kind: resource.ClaimName, Value: s.ContainerName})
	}
	for _, n := range c.Networks {
		for _, ip := range []string{n.IPv4, n.IPv6} {
			if ip != "" {
				out = append(out, resource.Claim{Kind: resource.ClaimAddress, Value: n.Network + "/" + ip})
			}
		}
	}
	out = append(out, a.writers(s, c)...)
	slices.SortFunc(out, func(x, y resource.Claim) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Value, y.Value))
	})
	return slices.Compact(out)
}

// fixed tells whether the port is one number on the host, which only one
// instance can have.
func fixed(p spec.Port) bool { return p.Published != "" && digits(p.Published) }

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// crowded are the claims of one instance on the ranges that it takes a port
// from, where a new instance finds none free before its old one has gone.
func (a *app) crowded(s types.ServiceConfig, c spec.Container, parallelism int) []resource.Claim {
	more := parallelism
	if more == 0 { // all at once
		more = a.replicas(s)
	}
	var out []resource.Claim
	for _, p := range c.Ports {
		if n := rangeSize(p); n > 0 && n < a.replicas(s)+more {
			value := fmt.Sprintf("%s/%s for %s/%d", address(p), p.Protocol, s.Name, c.Number)
			out = append(out, resource.Claim{Kind: resource.ClaimPort, Value: value})
		}
	}
	return out
}

// rangeSize is how many ports the engine may choose from; 0 where it is no range.
func rangeSize(p spec.Port) int {
	from, to, ok := portRange(p.Published)
	if !ok || fixed(p) {
		return 0
	}
	return to - from + 1
}

func address(p spec.Port) string {
	return net.JoinHostPort(cmp.Or(p.HostIP, "0.0.0.0"), p.Published)
}

// writers are the volumes that one instance writes at a time. Replicas and an
// explicit start-first are the user's word that several writers are fine.
func (a *app) writers(s types.ServiceConfig, c spec.Container) []resource.Claim {
	if a.replicas(s) != 1 || explicitOrder(s) == resource.StartFirst {
		return nil
	}
	var out []resource.Claim
	for _, m := range c.Mounts {
		if !m.ReadOnly && m.Source != "" && (m.Type == types.VolumeTypeVolume || m.Type == types.VolumeTypeBind) {
			out = append(out, resource.Claim{Kind: resource.ClaimWriter, Value: m.Source + " for " + s.Name})
		}
	}
	return out
}
