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
		notes = append(notes, one.silent()...)
	}
	return routes, append(notes, unused(conf)...)
}

// silent says what the route does not tell though its events name it.
func (r route) silent() []string {
	ofApps := func(event string) bool { return !strings.HasPrefix(event, "source-") }
	least := Severity(r.Severity)
	tooSmall := func(event string) bool { return kinds()[event].severity.weight() < least.weight() }
	heard := func(event string) bool { return !tooSmall(event) }
	switch {
	case len(r.Events) == 0:
		return nil
	case len(r.Apps)+len(r.Owner) > 0 && !slices.ContainsFunc(r.Events, ofApps):
		return []string{fmt.Sprintf("route %s tells nothing: its events are of the repository, and of no app", r.name)}
	case !slices.ContainsFunc(r.Events, heard):
		return []string{fmt.Sprintf("route %s tells nothing: of its events, none is of severity %s", r.name, least)}
	}
	var notes []string
	for _, event := range r.Events {
		if tooSmall(event) && kinds()[event].phase != end { // the end of what is told, is
			notes = append(notes, fmt.Sprintf("route %s does not tell of %s, which is less than %s", r.name, event, least))
		}
	}
	return notes
}

// nameStrays has in the log, once, which routes are about none of the apps that there
// are: such as for a name that is misspelt.
func (n *Notifier) nameStrays() {
	if n.judged || n.opts.Apps == nil {
		return
	}
	apps := n.opts.Apps()
	if apps == nil {
		return
	}
	n.judged = true
	for _, r := range n.routes {
		met := len(r.Apps) == 0 && r.Owner == ""
		for app, owner := range apps {
			met = met || r.concerns(Fact{App: app, Owner: owner})
		}
		if !met {
			n.opts.Log.Warn("a route is about no app that there is", "route", r.name, "apps", strings.Join(r.Apps, ", "), "owner", r.Owner, "hint", "check notify.routes; syncd status lists the apps")
		}
	}
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
