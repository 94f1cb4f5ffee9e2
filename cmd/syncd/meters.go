package main

import (
	"time"

	"syncd.io/syncd/internal/apply/asked"
	"syncd.io/syncd/internal/metrics"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/sandbox"
	"syncd.io/syncd/internal/source"
)

// meters count what an agent asks of others, and how long its passes take. Those of
// nobody (nil) count nothing.
type meters struct {
	engine, git, child *metrics.Calls
	passes             *metrics.Durations
	traces             *tracer // nil is none
	// queues are what waits to be told.
	queues queues
}

func newMeters() *meters {
	return &meters{engine: metrics.OfEngine(), git: metrics.OfGit(), child: metrics.OfChild(), passes: metrics.NewDurations()}
}

// collectors are all that is counted of who, with this process.
func (m *meters) collectors(who knowing) []metrics.Collector {
	told := append(metrics.OfProcess(thisBuild().Version), metrics.OfAgent(facts{who}), metrics.OfApps(facts{who}))
	if m.traces != nil {
		told = append(told, metrics.OfTraces(m.traces.to))
	}
	if len(m.queues) > 0 {
		told = append(told, metrics.OfQueues(m.queues))
	}
	return append(told, m.engine, m.git, m.child, m.passes)
}

// hearing counts the passes among the events that hear gets.
func (m *meters) hearing(hear func(reconcile.Event)) func(reconcile.Event) {
	hear = m.traces.hearing(hear)
	return func(e reconcile.Event) {
		if r := e.Result; r != nil {
			m.passes.Pass(string(r.Outcome), r.Duration.D(), map[string]time.Duration{
				"render": r.Phases.Render.D(), "prepare": r.Phases.Prepare.D(), "observe": r.Phases.Observe.D(), "rollout": r.Phases.Rollout.D(), "soak": r.Phases.Soak.D(),
			})
		}
		hear(e)
	}
}

func (m *meters) ofEngine() func(asked.Request) {
	if m == nil {
		return nil
	}
	return func(r asked.Request) { m.engine.Done(r.Outcome, r.Took, r.Verb) }
}

func (m *meters) ofSource() func(source.Asked) {
	if m == nil {
		return nil
	}
	return func(a source.Asked) { m.git.Done(a.Outcome, a.Took, a.Operation, a.Remote) }
}

func (m *meters) ofChild() func(sandbox.Run) {
	if m == nil {
		return nil
	}
	return func(r sandbox.Run) { m.child.Done(string(r.Outcome), r.Took, r.Operation) }
}

// queues are those of all who tell somebody something.
type queues []metrics.Queues

// queuesOf are those of the ones that are not nil.
func queuesOf(people *teller, marks *marker, forges *feedback) (all queues) {
	if people != nil {
		all = append(all, people)
	}
	if marks != nil {
		all = append(all, marks)
	}
	if forges != nil {
		all = append(all, forges)
	}
	return all
}

// Queues implements metrics.Queues.
func (q queues) Queues() []metrics.Queue {
	var all []metrics.Queue
	for _, one := range q {
		all = append(all, one.Queues()...)
	}
	return all
}
