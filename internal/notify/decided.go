package notify

import (
	"slices"
	"strings"
)

// decided keeps for the log what was decided about something that happened, and why: one
// line for each, once what it led to is on disk.
func (k *keeping) decided(about Told, text string, more ...any) {
	args := []any{"event", about.Event}
	for _, a := range [][2]string{{"app", about.App}, {"incident", about.Incident}} {
		if a[1] != "" {
			args = append(args, a[0], a[1])
		}
	}
	k.decisions = append(k.decisions, decision{text, append(append(args, "fact", about.ID), more...)})
}

// decision is a line of the log.
type decision struct {
	text string
	args []any
}

func (k *keeping) logDecisions() {
	for _, d := range k.decisions {
		k.opts.Log.Debug(d.text, d.args...)
	}
}

// whom says which routes are told, and why nobody is.
func (k *keeping) whom(t Told, before []string, told []string, known bool) {
	fresh := slices.DeleteFunc(told, func(name string) bool {
		i := slices.IndexFunc(k.routes, func(r route) bool { return r.name == name })
		return i < 0 || !k.routes[i].fits(t, slices.Contains(before, name))
	})
	switch {
	case known:
		k.decided(t, "nobody is told: it is no news any more")
	case len(fresh) == 0:
		k.decided(t, "nobody is told: no route is for it")
	default:
		k.decided(t, "people are told", "routes", strings.Join(fresh, ", "))
	}
}
