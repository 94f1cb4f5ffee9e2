package reconcile

import (
	"cmp"
	"net"
	"slices"
	"strings"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// startTime is what an engine needs to start a container, gateTime what it needs
// to stop one and to make and start a gate in its place, measured.
const (
	startTime = 300 * time.Millisecond
	gateTime  = 1200 * time.Millisecond
)

// askForGate is how a service asks for what would close its gap.
const askForGate = "x-syncd: {gate: tcp}"

// gapOf estimates how long a stop-first service is away: the pause in which it has
// been told to leave, its start, and the time to the first probe that can find it
// healthy.
func gapOf(o resource.Object) time.Duration {
	gap := startTime
	for _, c := range containers([]resource.Object{o}) {
		if len(c.PreStop) > 0 {
			gap += c.Drain
		}
		if h := c.Healthcheck; h != nil && len(h.Test) > 0 && h.Test[0] != "NONE" {
			gap += cmp.Or(h.StartInterval, max(h.Interval, time.Second))
		}
	}
	return gap
}

// pauseOf is how long an old instance stays before it is stopped.
func pauseOf(o resource.Object) resource.Duration {
	var pause time.Duration
	for _, c := range containers([]resource.Object{o}) {
		pause = c.Drain
	}
	return resource.Duration(pause)
}

// remedy says of a gap without a gate what would close it, or why no gate can;
// empty where that is no matter of ports.
func remedy(svc apply.Service, o resource.Object, internal map[string]bool) string {
	byPort := strings.HasPrefix(svc.Why, string(resource.ClaimPort)+" ")
	all := containers([]resource.Object{o})
	if len(all) == 0 {
		return ""
	}
	c := all[0]
	servable, others := sorted(c)
	why := c.Ungated(func(e spec.Endpoint) bool { return internal[e.Name] })
	switch {
	case why == "" && len(servable) > 0 && byPort && others == "" && byPortsAlone(o):
		return askForGate + " would close it"
	case why == "" && len(servable) > 0:
		return askForGate + " would let new connections to " + listed(servable) + " wait meanwhile"
	case byPort && why+others != "":
		return "no gate can close it: " + cmp.Or(why, others)
	}
	return ""
}

// sorted tells the ports that a gate can serve from the others that are fixed or
// of a range, and names one of those, with the reason.
func sorted(c spec.Container) (servable []string, others string) {
	for _, p := range c.Ports {
		switch why := p.PastGates(); {
		case p.Published == "": // another instance gets another one
		case why == "":
			servable = append(servable, "port "+portName(p))
		case p.Protocol != "tcp":
			others = cmp.Or(others, "port "+portName(p)+"/"+p.Protocol+" "+strings.TrimPrefix(why, "it "))
		default:
			others = cmp.Or(others, why)
		}
	}
	return servable, others
}

// byPortsAlone tells whether nothing but ports makes the service stop first.
func byPortsAlone(o resource.Object) bool {
	other := func(c resource.Claim) bool { return c.Kind != resource.ClaimPort }
	return o.Policy.Order != resource.StopFirst && !slices.ContainsFunc(o.Claims, other)
}

func portName(p spec.Port) string {
	if p.HostIP == "" {
		return p.Published
	}
	return net.JoinHostPort(p.HostIP, p.Published)
}
