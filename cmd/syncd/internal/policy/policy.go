// Package policy finds what is wrong between the apps of one repository, before
// it is merged: apps that need one that is not there, that need each other in a
// circle, or that claim the same thing on one host. It is pure.
package policy

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/resource"
)

// App is one app of the repository as far as it rendered.
type App struct {
	Name, Dir string
	Config    config.App
	// Objects is empty where it did not render.
	Objects []resource.Object
}

// Problem is one thing that is wrong.
type Problem struct{ App, Text, Hint string }

// Check returns what is wrong between the apps, in the order of apps.
func Check(apps []App) []Problem {
	byName := map[string]App{}
	for _, a := range apps {
		byName[a.Name] = a
	}
	var out []Problem
	for i, a := range apps {
		out = append(out, needs(a, byName)...)
		for _, b := range apps[:i] {
			out = append(out, conflicts(a, b)...)
		}
	}
	return out
}

// needs checks dependsOn.
func needs(a App, byName map[string]App) []Problem {
	var out []Problem
	for _, need := range a.Config.DependsOn {
		if _, ok := byName[need]; !ok {
			out = append(out, Problem{a.Name, fmt.Sprintf("%s/.syncd.yaml: dependsOn: there is no app %q", a.Dir, need), "the apps are: " + strings.Join(slices.Sorted(maps.Keys(byName)), ", ")})
		}
	}
	if circle := circleFrom(a.Name, byName); circle != nil {
		out = append(out, Problem{a.Name, fmt.Sprintf("%s/.syncd.yaml: dependsOn: a circle: %s", a.Dir, strings.Join(circle, " -> ")), "remove one of these dependencies"})
	}
	return out
}

// circleFrom returns the way from an app back to itself, nil where there is
// none.
func circleFrom(start string, byName map[string]App) []string {
	seen := map[string]bool{}
	var walk func(name string) []string
	walk = func(name string) []string {
		for _, next := range byName[name].Config.DependsOn {
			if next == start {
				return []string{name, start}
			}
			if seen[next] {
				continue
			}
			seen[next] = true
			if rest := walk(next); rest != nil {
				return append([]string{name}, rest...)
			}
		}
		return nil
	}
	return walk(start)
}

// conflicts finds what two apps would both hold alone on a host that runs both.
func conflicts(a, b App) []Problem {
	if !together(a.Config.Hosts, b.Config.Hosts) {
		return nil
	}
	var out []Problem
	for _, x := range claims(a) {
		for _, y := range claims(b) {
			if clash(x, y) {
				out = append(out, Problem{a.Name, fmt.Sprintf("%s is claimed by app %s too", x, b.Name), "change one of them, or let hosts.matchLabels put the apps on different hosts"})
			}
		}
	}
	return out
}

// together tells whether one host can match both selectors.
func together(a, b config.Selector) bool {
	for k, v := range a.MatchLabels {
		if w, ok := b.MatchLabels[k]; ok && w != v {
			return false
		}
	}
	return true
}

// claims are those that concern the whole host, each once.
func claims(a App) []resource.Claim {
	seen := map[resource.Claim]bool{}
	var out []resource.Claim
	for _, o := range a.Objects {
		for _, c := range o.Claims {
			if hostWide(c) && !seen[c] {
				seen[c] = true
				out = append(out, c)
			}
		}
	}
	return out
}

// hostWide tells of claims that no two apps of a host can have. A port is one
// where it is an address: a service on the host's network, or with a port of a
// range, keeps only its own next instance away.
func hostWide(c resource.Claim) bool {
	if c.Kind != resource.ClaimPort {
		return c.Kind == resource.ClaimName
	}
	_, port := split(c.Value)
	number, _, _ := strings.Cut(port, "/")
	_, err := strconv.ParseUint(number, 10, 16)
	return err == nil
}

// clash tells whether two claims are for the same thing: a port of all addresses
// is also a port of each.
func clash(x, y resource.Claim) bool {
	if x == y {
		return true
	}
	if x.Kind != resource.ClaimPort || y.Kind != resource.ClaimPort {
		return false
	}
	hostX, portX := split(x.Value)
	hostY, portY := split(y.Value)
	return portX == portY && (everywhere(hostX) || everywhere(hostY))
}

func split(address string) (host, port string) {
	i := strings.LastIndexByte(address, ':')
	if i < 0 {
		return "", address
	}
	return address[:i], address[i+1:]
}

func everywhere(host string) bool {
	return slices.Contains([]string{"", "0.0.0.0", "::", "[::]"}, host)
}
