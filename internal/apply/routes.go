package apply

import (
	"cmp"
	"fmt"
	"slices"

	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
)

func (b *builder) routesOf(group string) []*slot {
	if g := b.groups[group]; g != nil {
		return g.routes
	}
	return nil
}

// behind adds steps that wait for after.
func (b *builder) behind(after []int) func(Step) int {
	return func(s Step) int {
		s.After = slices.Concat(s.After, after)
		return b.add(s)
	}
}

// routeBegins tells whether nothing of the plan has put the route yet, and
// nothing serves it.
func (s *slot) routeBegins() bool { return s.fresh() && len(s.puts) == 0 }

// switchRoutes lets the new instance in and drains the old one; the returned
// awaits end when it is drained, or at the limit. Without a route nothing is
// added to after.
func (b *builder) switchRoutes(g *group, s *slot, after []int) []int {
	if len(g.routes) == 0 {
		return after
	}
	var ids []int
	for _, r := range g.standingFirst() {
		to := Traffic{Made: slices.Clone(s.puts), Out: refsOf(s.runningOthers())}
		behind := after
		if r.routeBegins() { // whose port it takes has left the others by then
			to.In, behind = b.beside(g, s), slices.Concat(after, ids)
		}
		ids = append(ids, b.putRoute(r, behind, to, s.pair.Key.String()+" in", "drained"))
	}
	return ids
}

// standingFirst are the group's routes, those that begin behind the others.
func (g *group) standingFirst() []*slot {
	out := slices.Clone(g.routes)
	slices.SortStableFunc(out, func(x, y *slot) int { return cmp.Compare(begins(x), begins(y)) })
	return out
}

func begins(r *slot) int {
	if r.routeBegins() {
		return 1
	}
	return 0
}

// beside are the instances that serve while s takes its turn: a route that
// begins has them from its first moment.
func (b *builder) beside(g *group, s *slot) []resource.Ref {
	var in []resource.Ref
	for _, o := range g.slots {
		for _, live := range o.pair.Live {
			if o != s && live.Running && live.Health.State == resource.Well && b.stops[live.Ref.ID] == 0 {
				in = append(in, live.Ref)
			}
		}
	}
	return in
}

// begun is the put that begins the route: whoever enters or leaves it waits for
// that.
func (s *slot) begun() []int {
	if s.fresh() && len(s.puts) > 0 {
		return s.puts[:1:1]
	}
	return nil
}

// putRoute adds a put of a route and returns its await.
func (b *builder) putRoute(r *slot, after []int, to Traffic, cause, until string) int {
	put := b.add(Step{
		Verb: Put, Key: r.pair.Key, Object: r.want(), After: slices.Concat(b.makeRoomFor(r, after), r.begun()), Traffic: &to, Cause: cause, Changes: r.finding.Changes,
	})
	r.puts = append(r.puts, put)
	return b.awaitRoute(r, put, until)
}

// awaitRoute awaits what a put of a route has changed.
func (b *builder) awaitRoute(r *slot, put int, until string) int {
	step := b.await(r, put, []int{put})
	step.Cause = until
	return b.add(step)
}

// makeRoomFor stops whoever publishes the port of a route that begins: the
// shortest gap is between that stop and the route's first put.
func (b *builder) makeRoomFor(r *slot, after []int) []int {
	out := slices.Clone(after)
	if len(r.puts) > 0 {
		return out
	}
	for _, rival := range r.rivals {
		s := Step{Key: rival.key, Ref: rival.inst.Ref, After: slices.Clone(after), Cause: fmt.Sprintf("%s takes its %s over", r.pair.Key, rival.claim)}
		if b.stops[s.Ref.ID] == 0 {
			own, foreign := b.vacate([]Step{s}, rival.key.String()+" out", b.behind(after))
			s.After = slices.Concat(s.After, own, foreign)
		}
		out = append(out, b.stopOnce(s))
	}
	return out
}

// emitRoutes puts the routes that differ, where the slots that changed have not
// put all of them.
func (b *builder) emitRoutes(g *group) {
	kept := slices.ContainsFunc(g.slots, func(s *slot) bool { return s.move == keep || s.move == mend })
	for _, r := range g.routes {
		if r.move == keep || len(r.puts) > 0 && !kept {
			continue
		}
		after := g.gates()
		if len(after) == 0 {
			after = g.entry
		}
		r.gates = []int{b.putRoute(r, after, g.serving(), r.cause(), "")}
	}
	b.dropGates(g)
}

// dropGates removes what stands beside the one that serves a route: somebody
// who renewed it was cut short.
func (b *builder) dropGates(g *group) {
	for _, r := range g.routes {
		if r.finding.Match == drift.None || len(r.puts) == 0 {
			continue
		}
		for _, o := range r.others() {
			b.add(Step{Verb: Remove, Key: r.pair.Key, Ref: o.Ref, After: slices.Concat(r.puts, r.gates), Cause: "one is enough", Tidy: true})
		}
	}
}

// serving is the traffic of a group at rest: every instance that runs, or that
// this plan puts, and nobody else.
func (g *group) serving() Traffic {
	to := Traffic{Only: true}
	for _, s := range g.slots {
		switch {
		case s.move != keep:
			to.Made = append(to.Made, s.puts...)
		case s.finding.Match != drift.None:
			to.In = append(to.In, s.pair.Live[s.finding.Match].Ref)
		}
	}
	return to
}

// drain takes what is no longer wanted out of its group's routes; the returned
// steps end when it has finished what it had begun.
func (b *builder) drain(p resource.Pair, after []int) []int {
	routes := b.routesOf(p.Group)
	running := slices.DeleteFunc(slices.Clone(p.Live), func(i resource.Instance) bool { return !i.Running })
	if len(routes) == 0 || len(running) == 0 {
		return after
	}
	var ids []int
	for _, r := range routes {
		ids = append(ids, b.putRoute(r, after, Traffic{Out: refsOf(running)}, p.Key.String()+" out", "drained"))
	}
	return ids
}

// Routed tells whether the plan puts routes of the group.
func (p Plan) Routed(group string) bool {
	return slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Traffic != nil && s.Group() == group })
}

// Holds tells whether new connections wait anywhere in the plan.
func (p Plan) Holds() bool { return slices.ContainsFunc(p.Steps, Step.holds) }

// TakenOver are the routes of the group that begin with the port of an instance
// that stops for it: that is a gap, of the time that the gate takes.
func (p Plan) TakenOver(group string) []resource.Key {
	return p.routesThat(group, func(s Step) bool {
		return s.Traffic != nil && slices.ContainsFunc(s.After, func(id int) bool { return p.Steps[id-1].Verb == Stop })
	})
}

// GivenBack are the routes of the group that stop and do not come back.
func (p Plan) GivenBack(group string) []resource.Key {
	return p.routesThat(group, func(s Step) bool {
		again := func(o Step) bool { return o.Traffic != nil && o.Key == s.Key }
		return s.Verb == Stop && s.Key.Kind == routeKind && !slices.ContainsFunc(p.Steps, again)
	})
}

func (p Plan) routesThat(group string, do func(Step) bool) []resource.Key {
	var out []resource.Key
	for _, s := range p.Steps {
		if s.Key.Namespace == group && do(s) && !slices.Contains(out, s.Key) {
			out = append(out, s.Key)
		}
	}
	return out
}
