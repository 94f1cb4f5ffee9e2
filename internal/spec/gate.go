package spec

import "strings"

// PastGates returns why a gate cannot publish the port, and its containers do;
// empty where one can.
func (p Port) PastGates() string {
	switch {
	case p.Protocol != "tcp":
		return "it is not TCP"
	case p.Published == "":
		return "the engine chooses its number on the host"
	case strings.Contains(p.Published, "-"):
		return "each instance publishes its own of " + p.Published
	}
	return ""
}

// Ungated returns why no gate gets to the container; empty where one does. internal
// tells of the networks from which nothing is published.
func (c Container) Ungated(internal func(Endpoint) bool) string {
	switch {
	case c.NetworkMode == "host":
		return "it is on the host's network"
	case c.NetworkMode != "":
		return "network_mode is " + c.NetworkMode
	}
	for _, e := range c.Networks {
		if !internal(e) {
			return ""
		}
	}
	if len(c.Networks) == 0 {
		return ""
	}
	return "it is on internal networks only, and these are not published"
}
