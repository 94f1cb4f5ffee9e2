package apply

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"syncd.io/syncd/internal/resource"
)

// Gap is a time in which nobody stood in a slot, measured: from the begin of the
// stop that emptied it until who came next was healthy, or until the port was
// open again that a gate publishes.
type Gap struct {
	// Key is the slot of who came next.
	Key resource.Key `json:"key"`
	// Group is the service that was away.
	Group string `json:"group"`
	// Back are the ports that gates gave back for it, in order; empty otherwise.
	Back []string `json:"back,omitempty"`
	// Held tells that a gate let new connections wait meanwhile.
	Held bool              `json:"held,omitempty"`
	Took resource.Duration `json:"took"`
}

// String says in a few words who was away for how long.
func (g Gap) String() string {
	took := fmt.Sprintf("%.2f s", g.Took.D().Seconds())
	switch {
	case g.Held:
		return fmt.Sprintf("%s %s without an instance, in which the gate let new connections wait", g.Group, took)
	case g.Key.Kind == routeKind:
		return fmt.Sprintf("%s %s without its port %s", g.Group, took, g.Key.Name)
	case len(g.Back) > 0:
		return fmt.Sprintf("%s %s without its port %s, which its gate gave back", g.Group, took, strings.Join(g.Back, ", "))
	default:
		return fmt.Sprintf("%s %s without an instance", g.Group, took)
	}
}

// Longest leaves of several gaps of a kind, such as those of a service's
// replicas, the longest.
func Longest(gaps []Gap) []Gap {
	var out []Gap
	for _, g := range gaps {
		i := slices.IndexFunc(out, func(o Gap) bool { return o.alike(g) })
		switch {
		case i < 0:
			out = append(out, g)
		case out[i].Took < g.Took:
			out[i] = g
		}
	}
	return out
}

func (g Gap) alike(o Gap) bool {
	route := g.Key.Kind == routeKind || o.Key.Kind == routeKind
	return g.Group == o.Group && g.Held == o.Held && (g.Key == o.Key || !route)
}

// span is when a step was carried out. An await that has seen what it waits for
// ended then, however long it watches after that.
type span struct{ begun, ended time.Time }

// absences are the services of which somebody was stopped whose place nobody has
// taken, and since when.
type absences map[string]time.Time

// gaps measures what a plan cost, from when its steps ran: those that have not
// come to their end are not in ran. Who was missing after an earlier
// rollout is in since.
func (p Plan) gaps(ran map[int]span, since absences) (out []Gap, left absences) {
	left = absences{}
	came := map[resource.Key]bool{}
	for _, s := range p.Steps {
		if s.Verb != Put || s.Group() == "" || s.Object.Once || s.Tidy || came[s.Key] {
			continue
		}
		begun := p.emptied(s, ran, since)
		if begun.IsZero() {
			continue
		}
		came[s.Key] = true
		held := s.Traffic == nil && p.heldBefore(s)
		ended := ran[p.serves(s, held)].ended
		if ended.IsZero() {
			left[s.Group()] = begun
			continue
		}
		out = append(out, Gap{Key: s.Key, Group: s.Group(), Back: p.givenFor(s), Held: held, Took: resource.Duration(ended.Sub(begun))})
	}
	return out, left
}

// emptied is when the first of those was stopped whose place the put takes; zero where
// none was.
func (p Plan) emptied(put Step, ran map[int]span, since absences) time.Time {
	first := since[put.Group()]
	for _, s := range p.Steps[:put.ID-1] {
		if s.Verb != Stop || s.Key != put.Key && !slices.Contains(put.After, s.ID) {
			continue
		}
		if at := ran[s.ID].begun; first.IsZero() || !at.IsZero() && at.Before(first) {
			first = at
		}
	}
	return first
}

// givenFor are the ports that gates gave back for whom the put makes.
func (p Plan) givenFor(put Step) []string {
	var out []string
	for _, id := range put.After {
		if s := p.Steps[id-1]; put.Traffic == nil && s.Verb == Stop && s.Key.Kind == routeKind {
			out = append(out, s.Key.Name)
		}
	}
	return out
}

// heldBefore tells whether new connections wait when the step begins.
func (p Plan) heldBefore(step Step) bool {
	return slices.ContainsFunc(p.Steps[:step.ID-1], func(s Step) bool { return s.holds() && s.Group() == step.Group() })
}

// serves is the step whose end ends the gap that a put fills: its own for a
// route, whose port is open then; else what shows its instance healthy, or what
// lets connections in that were held.
func (p Plan) serves(put Step, held bool) int {
	if put.Traffic != nil {
		return put.ID
	}
	proof := put.ID
	for _, s := range p.Steps[put.ID:] {
		switch {
		case held && s.Traffic != nil && slices.Contains(s.Traffic.Made, put.ID):
			return s.ID
		case s.Verb == Await && s.Made == put.ID:
			proof = s.ID
		}
	}
	return proof
}
