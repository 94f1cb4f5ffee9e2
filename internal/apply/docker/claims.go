package docker

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// madeName tells whether Compose or we named the container by ourselves:
// shop-web-1, shop_web_1, and what is put behind them for a while.
func madeName(c spec.Container) bool {
	rest, ours := strings.CutPrefix(c.Name, c.Project)
	for _, part := range []string{c.Service, strconv.Itoa(c.Number)} {
		if !ours || rest == "" || rest[0] != '-' && rest[0] != '_' {
			return false
		}
		rest, ours = strings.CutPrefix(rest[1:], part)
	}
	return ours && (rest == "" || rest[0] == '.')
}

// portClaim is ADDRESS:PORT/PROTOCOL.
func portClaim(p spec.Port) string {
	return net.JoinHostPort(cmp.Or(p.HostIP, "0.0.0.0"), p.Published) + "/" + p.Protocol
}

// claims returns what a container holds alone while it runs: fixed host ports, a
// fixed name, static addresses, and the volumes and directories it writes to.
func claims(c spec.Container) []resource.Claim {
	var out []resource.Claim
	for _, p := range c.Ports {
		if p.Published == "" {
			continue
		}
		address := portClaim(p)
		if _, err := strconv.Atoi(p.Published); err != nil { // a range is the engine's to choose from: one of its ports
			address += fmt.Sprintf(" for %s/%d", c.Service, c.Number)
		}
		out = append(out, resource.Claim{Kind: resource.ClaimPort, Value: address})
	}
	if c.NetworkMode == modeHost {
		out = append(out, resource.Claim{Kind: resource.ClaimPort, Value: "host network of " + c.Service})
	}
	if !madeName(c) {
		out = append(out, resource.Claim{Kind: resource.ClaimName, Value: c.Name})
	}
	for _, e := range c.Networks {
		for _, address := range []string{e.IPv4, e.IPv6} {
			if address != "" {
				out = append(out, resource.Claim{Kind: resource.ClaimAddress, Value: e.Network + "/" + address})
			}
		}
	}
	for _, m := range c.Mounts {
		if !m.ReadOnly && m.Source != "" && (m.Type == "volume" || m.Type == "bind") {
			out = append(out, resource.Claim{Kind: resource.ClaimWriter, Value: m.Source + " for " + c.Service})
		}
	}
	return out
}

// contend adds to a pair the claims that only the engine knows of: the volumes
// that a new instance takes over, unless the user wants both sides to run at
// once; and, where one side is on the host's network and the other is not, any
// published port, for nobody tells what a process listens on there. The object
// that was asked for stays as it is.
func contend(p *resource.Pair, c *comparison, instances []found) {
	want := *p.Want
	ports := slices.DeleteFunc(slices.Clone(want.Claims), func(c resource.Claim) bool { return c.Kind != resource.ClaimPort })
	if want.Policy.Order != resource.StartFirst {
		carried := c.carried(instances)
		want.Claims = slices.Clone(want.Claims)
		for _, target := range slices.Sorted(maps.Keys(carried)) {
			want.Claims = append(want.Claims, writes(carried[target], target, c.want))
		}
	}
	for i, f := range instances {
		for _, m := range f.anonymous() {
			if !m.ReadOnly {
				p.Live[i].Claims = append(p.Live[i].Claims, writes(m.Source, m.Target, c.want))
			}
		}
		if (c.stored.NetworkMode == modeHost) != f.HostConfig.NetworkMode.IsHost() {
			p.Live[i].Claims = append(p.Live[i].Claims, ports...)
		}
	}
	p.Want = &want
}
