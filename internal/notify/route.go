package notify

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"syncd.io/syncd/internal/config"
)

// route is one of the configuration's, ready for use.
type route struct {
	config.Route
	name    string
	wording Wording // makes the texts of a template
}

// fits tells whether the route is told of such a fact; told that it was told of what
// the fact ends.
func (r route) fits(t Told, told bool) bool {
	switch {
	case told && kinds()[t.Event].phase == end: // also where the app has another owner by now
		return true
	case !r.concerns(t.Fact):
		return false
	case t.Severity.weight() < Severity(r.Severity).weight():
		return false
	case len(r.Events) == 0:
		return !kinds()[t.Event].quiet
	default:
		return slices.Contains(r.Events, t.Event)
	}
}

// concerns tells whether the fact is of an app that the route is about.
func (r route) concerns(f Fact) bool {
	if r.Owner != "" && !strings.EqualFold(r.Owner, f.Owner) {
		return false
	}
	return len(r.Apps) == 0 || slices.ContainsFunc(r.Apps, func(glob string) bool {
		ok, err := path.Match(glob, f.App)
		return ok && err == nil
	})
}

// routeOf makes the route that is the configuration's i-th.
func routeOf(r config.Route, i int, words Wording) route {
	return route{Route: r, name: cmp.Or(r.Name, fmt.Sprintf("route-%d", i+1)), wording: words}
}

// routesOf makes the routes that this host has a part in; notes say which do not, and
// why.
func routesOf(conf config.Notify, labels map[string]string, words Wording) (routes []route, notes []string) {
	for i, r := range conf.Routes {
		one := routeOf(r, i, words)
		if lacking := lacks(r.Labels, labels); lacking != "" {
			notes = append(notes, fmt.Sprintf("route %s tells nobody on this host, which has no label %s", one.name, lacking))
			continue
		}
		routes = append(routes, one)
	}
	return routes, append(notes, unused(conf)...)
}

// lacks is a label that is wanted and not there; empty where there is none.
func lacks(want, have map[string]string) string {
	var missing []string
	for key, value := range want {
		if got, ok := have[key]; !ok || got != value {
			missing = append(missing, key+": "+value)
		}
	}
	slices.Sort(missing)
	return strings.Join(missing, ", ")
}

// unused says which channels no route names.
func unused(conf config.Notify) []string {
	var notes []string
	for name := range conf.Channels {
		if !slices.ContainsFunc(conf.Routes, func(r config.Route) bool { return slices.Contains(r.To, name) }) {
			notes = append(notes, fmt.Sprintf("no route leads to channel %s: it is told nothing", name))
		}
	}
	slices.Sort(notes)
	return notes
}
