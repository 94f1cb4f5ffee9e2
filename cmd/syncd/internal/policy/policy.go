// Package policy finds what is wrong between the apps of one repository, before
// it is merged: apps that need one that is not there, that need each other in a
// circle, or that claim the same thing on one host. It is pure.
package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// App is one app of the repository as far as it rendered.
type App struct {
	Name, Dir string
	// File is the path of its first Compose file, or its directory.
	File   string
	Config config.App
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
	for _, x := range reconcile.Contest(a.Objects, b.Objects) {
		out = append(out, Problem{a.Name, fmt.Sprintf("%s: %s is claimed by app %s too, in %s", a.File, x, b.Name, b.File), "change one of them, or let hosts.matchLabels put the apps on different hosts"})
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
