package docker

import (
	"cmp"
	"fmt"
	"net"
	"regexp"
	"strconv"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// madeName matches what Compose and we name containers by ourselves.
func madeName(c spec.Container) bool {
	pattern := "^" + regexp.QuoteMeta(c.Project) + "[-_]" + regexp.QuoteMeta(c.Service) + "[-_]" + strconv.Itoa(c.Number) + `(\..*)?$`
	made, err := regexp.MatchString(pattern, c.Name)
	return err == nil && made
}

// claims returns what a container holds alone while it runs: fixed host ports, a
// fixed name, static addresses, and the volumes and directories it writes to.
func claims(c spec.Container) []resource.Claim {
	var out []resource.Claim
	for _, p := range c.Ports {
		if p.Published == "" {
			continue
		}
		address := net.JoinHostPort(cmp.Or(p.HostIP, "0.0.0.0"), p.Published) + "/" + p.Protocol
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
