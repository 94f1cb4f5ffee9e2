package reconcile

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"syncd.io/syncd/internal/resource"
)

// Conflict is what two apps cannot both have on one host: a host port, or a
// container's name. Each side says it in its own words.
type Conflict struct{ Mine, Theirs string }

// String says it as the first of the two apps does, and the other's words where
// they differ.
func (c Conflict) String() string {
	if c.Mine == c.Theirs {
		return c.Mine
	}
	return c.Mine + " (there: " + c.Theirs + ")"
}

// Contest returns what the objects of one app and those of another would both
// hold on the same host, or in the same cluster, in order, without I/O. A range is
// contested where both together need more ports than it has; a port of all
// addresses is one of each.
func Contest(mine, theirs []resource.Object) []Conflict {
	return contest(append(demands(mine), named(mine)...), append(demands(theirs), named(theirs)...))
}

// named are the objects of a cluster, which all apps there know by one name.
func named(objects []resource.Object) []demand {
	var out []demand
	for _, o := range objects {
		if ofKind := o.Key.Kind; ofKind != "" && unicode.IsUpper(rune(ofKind[0])) {
			out = append(out, demand{object: o.Key.String()})
		}
	}
	return out
}

func contest(mine, theirs []demand) []Conflict {
	var out []Conflict
	for _, x := range mine {
		for _, y := range theirs {
			if x.clashes(y) {
				out = append(out, Conflict{x.String(), y.String()})
			}
		}
	}
	slices.SortFunc(out, func(x, y Conflict) int { return cmp.Or(cmp.Compare(x.Mine, y.Mine), cmp.Compare(x.Theirs, y.Theirs)) })
	return slices.Compact(out)
}

// demand is what an app wants of its host: a name, or some of a range of ports,
// which has but one where it is a fixed one; of a cluster, an object.
type demand struct {
	object         string // kind/namespace/name; empty for all else
	name           string // empty for ports
	host, protocol string
	from, to       int
	count          int
}

// String says it as claims do: "port 0.0.0.0:80/tcp", "name db".
func (d demand) String() string {
	switch {
	case d.object != "":
		return d.object
	case d.name != "":
		return "name " + d.name
	}
	ports := strconv.Itoa(d.from)
	if d.to > d.from {
		ports += "-" + strconv.Itoa(d.to)
	}
	return "port " + net.JoinHostPort(cmp.Or(d.host, "0.0.0.0"), ports) + "/" + d.protocol
}

func (d demand) clashes(e demand) bool {
	switch {
	case d.object != "" || e.object != "":
		return d.object == e.object
	case d.name != "" || e.name != "":
		return d.name == e.name
	case d.protocol != e.protocol || d.to < e.from || e.to < d.from:
		return false
	case d.host != e.host && !everywhere(d.host) && !everywhere(e.host):
		return false
	}
	return max(d.to, e.to)-min(d.from, e.from)+1 < d.count+e.count
}

func everywhere(host string) bool { return host == "" || host == "0.0.0.0" || host == "::" }

// demands are what objects want of the host. What is held alone stands in their
// claims; ranges do not, for each instance finds a port of its own there.
func demands(objects []resource.Object) []demand {
	var out []demand
	for _, o := range objects {
		for _, c := range o.Claims {
			if d, ok := claimed(c); ok && !slices.Contains(out, d) {
				out = append(out, d)
			}
		}
	}
	return append(out, ranges(objects)...)
}

// claimed reads a claim that concerns the whole host. A service on the host's
// network keeps only its own next instance away.
func claimed(c resource.Claim) (demand, bool) {
	if c.Kind == resource.ClaimName {
		return demand{name: c.Value}, true
	}
	address, protocol, _ := strings.Cut(c.Value, "/")
	host, port, err := net.SplitHostPort(address)
	number, notOne := strconv.ParseUint(port, 10, 16)
	if c.Kind != resource.ClaimPort || err != nil || notOne != nil {
		return demand{}, false
	}
	return demand{host: host, protocol: protocol, from: int(number), to: int(number), count: 1}, true
}

// ranges are the ranges of ports that instances choose from, each with how many
// do.
func ranges(objects []resource.Object) []demand {
	var out []demand
	at := map[string]int{}
	for _, c := range containers(objects) {
		for _, p := range c.Ports {
			first, last, isRange := strings.Cut(p.Published, "-")
			from, err := strconv.Atoi(first)
			to, err2 := strconv.Atoi(last)
			if !isRange || err != nil || err2 != nil {
				continue
			}
			key := fmt.Sprint(c.Service, p)
			if i, known := at[key]; known {
				out[i].count++
				continue
			}
			at[key] = len(out)
			out = append(out, demand{host: p.HostIP, protocol: cmp.Or(p.Protocol, "tcp"), from: from, to: to, count: 1})
		}
	}
	return out
}
