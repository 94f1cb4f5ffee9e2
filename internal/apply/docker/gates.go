package docker

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/gate"
	"syncd.io/syncd/internal/resource"
)

// answerLimit is how long each gate may take to answer a question about it.
const answerLimit = 3 * time.Second

// Gates returns the gates of an app, in order of their slots, and, where ask is
// true, what each says of itself: all are asked at once, and one that does not
// answer in time is told as that. Errors: Unreachable where the engine does not
// answer.
func (e *Engine) Gates(ctx context.Context, app string, ask bool) ([]apply.Gate, error) {
	all, err := e.projectContainers(ctx, app)
	if err != nil {
		return nil, err
	}
	last, err := e.owner(ctx, app)
	if err != nil {
		return nil, err
	}
	s := &snapshot{project: app, containers: all, owner: last, title: last.title(e.opts.Agent)}
	s.part()
	out := make([]apply.Gate, len(s.gates))
	newest := e.newestGate()
	var asked sync.WaitGroup
	for i, g := range s.gates {
		out[i] = e.described(s, g)
		out[i].Newest = newest
		if ask {
			asked.Go(func() { e.question(ctx, s, &out[i]) })
		}
	}
	asked.Wait()
	slices.SortStableFunc(out, func(a, b apply.Gate) int { return a.Route.Compare(b.Route) })
	return out, nil
}

// newestGate is what a gate that is made now would run; nothing where that
// cannot be found out: who makes one is told why.
func (e *Engine) newestGate() apply.GateProgram {
	if e.opts.GateImage != "" { // its version is what it says once it runs
		return apply.GateProgram{Image: e.opts.GateImage}
	}
	path, err := e.gateBinary()
	if err != nil {
		return apply.GateProgram{}
	}
	sum, err := hashOf(path)
	if err != nil {
		return apply.GateProgram{}
	}
	return apply.GateProgram{Version: e.opts.Version, Image: gateRepo + ":" + sum[:12]}
}

// described is what the engine knows of a gate.
func (e *Engine) described(s *snapshot, g found) apply.Gate {
	port := gatePublished(g)
	out := apply.Gate{
		Ref: resource.Ref{ID: g.ID}, Route: gateSlot(g.labels()), Name: g.name(), Published: port.Published, Running: g.State.Running,
		Program: apply.GateProgram{Version: g.labels()[labelVersion], Image: g.Config.Image},
		Foreign: !s.mayTouch(g.labels(), e.opts.Agent, false),
	}
	if port.HostIP != "" {
		out.Published = net.JoinHostPort(port.HostIP, port.Published)
	}
	return out
}

// question fills in what the gate says: by its table, which is there also where
// it does not run, and by its answer.
func (e *Engine) question(ctx context.Context, s *snapshot, g *apply.Gate) {
	limited, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	table, err := e.readTable(limited, g.Ref.ID)
	if err == nil {
		g.Mode, g.Drain = string(table.Mode), resource.Duration(storedDrain(table))
		for _, b := range table.Backends {
			g.Backends = append(g.Backends, apply.GateBackend{State: gate.State{ID: b.ID, Draining: b.Draining}})
		}
	}
	var answer gate.Answer
	switch {
	case err == nil && !g.Running:
		err = errors.New("its container does not run")
	case err == nil:
		answer, err = e.askGate(limited, g.Ref.ID, nil)
	}
	if limited.Err() != nil && ctx.Err() == nil {
		err = errors.New("it does not answer within " + answerLimit.String())
	}
	if err != nil {
		g.Trouble = err.Error()
	} else {
		told(g, answer)
	}
	for i := range g.Backends {
		g.Backends[i].Slot = s.slotOfID(g.Backends[i].ID)
	}
}

func told(g *apply.Gate, a gate.Answer) {
	g.Answers, g.Trouble, g.Listening, g.Address = true, a.Trouble, a.Listening, a.Address
	g.Waiting, g.Totals = a.Waiting, a.Totals
	if a.Version != "" {
		g.Program.Version = a.Version
	}
	g.Backends = g.Backends[:0]
	for _, b := range a.Backends {
		g.Backends = append(g.Backends, apply.GateBackend{State: b})
	}
}

// slotOfID is SERVICE/NUMBER of a container by its short ID.
func (s *snapshot) slotOfID(id string) string {
	for _, f := range s.containers {
		if short(f.ID) == id {
			return f.slot.Namespace + "/" + f.slot.Name
		}
	}
	return ""
}

func storedDrain(t gate.Table) time.Duration {
	if t.Drain == 0 {
		return gate.DefaultDrain
	}
	return t.Drain.D()
}

// AllGates returns the gates that run on the engine, by app, with what each says
// of itself: it costs one list, and three calls for each gate.
func (e *Engine) AllGates(ctx context.Context) (map[string][]apply.Gate, error) {
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	list, err := e.api.ContainerList(limited, container.ListOptions{Filters: filters.NewArgs(filters.Arg("label", labelGate), filters.Arg("label", labelProject))})
	if err != nil {
		return nil, e.classify(ctx, "list gates", err)
	}
	all := make([]apply.Gate, len(list))
	turns := make(chan struct{}, inspectors)
	var asked sync.WaitGroup
	for i, c := range list {
		all[i] = apply.Gate{Ref: resource.Ref{ID: c.ID}, Route: gateSlot(c.Labels), Running: true}
		asked.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			e.counters(ctx, &all[i])
		})
	}
	asked.Wait()
	out := map[string][]apply.Gate{}
	for i, c := range list {
		app := c.Labels[labelProject]
		out[app] = append(out[app], all[i])
	}
	return out, nil
}

// counters asks one gate for its counters.
func (e *Engine) counters(ctx context.Context, g *apply.Gate) {
	limited, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	answer, err := e.askGate(limited, g.Ref.ID, nil)
	if err != nil {
		g.Trouble = err.Error()
		return
	}
	told(g, answer)
}
