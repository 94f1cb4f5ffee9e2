package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/trace"
)

// Bounds of what one trace says.
const (
	mostSteps   = 1000
	traceReason = 1000 // bytes
)

// tracer makes traces of passes: the pass, its phases, and their steps. That of nobody
// (nil) makes none.
type tracer struct {
	to *trace.Exporter
	mu sync.Mutex // guards steps
	// steps are those of the pass under way, by app.
	steps map[string][]trace.Span
}

// newTracer sends where the settings say; nil where they say nothing.
func newTracer(host config.Host, log *slog.Logger) (*tracer, error) {
	conf := host.Traces
	if conf.Endpoint == "" {
		return nil, nil
	}
	name, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("find this machine's name: %w", err)
	}
	to, err := trace.New(trace.Options{
		Endpoint: conf.Endpoint, HeadersFile: conf.HeadersFile, Sample: conf.Sample, Version: thisBuild().Version,
		From: []trace.Attribute{
			{Key: "service.name", Value: "syncd"}, {Key: "service.version", Value: thisBuild().Version},
			{Key: "host.name", Value: cmp.Or(host.Host.Name, name)}, {Key: "vcs.repository.url.full", Value: shown(host.Repo.URL)},
		},
		Trouble: func(err error) {
			log.Warn("traces do not arrive", "error", resource.Harmless(err.Error(), reasonBound), "hint", fault.Advice(err))
		},
	})
	if err != nil {
		return nil, err
	}
	return &tracer{to: to, steps: map[string][]trace.Span{}}, nil
}

// run sends traces until ctx ends.
func (t *tracer) run(ctx context.Context) error {
	t.to.Run(ctx)
	return nil
}

// hearing makes traces of the events that hear gets.
func (t *tracer) hearing(hear func(reconcile.Event)) func(reconcile.Event) {
	if t == nil {
		return hear
	}
	return func(e reconcile.Event) {
		switch {
		case e.Result != nil:
			t.to.Offer(spanOf(*e.Result, t.taken(e.App)))
		case e.Step != nil:
			t.take(e)
		}
		hear(e)
	}
}

// take keeps a step that ended until its pass does.
func (t *tracer) take(e reconcile.Event) {
	if e.Step.Phase == apply.Begun || e.Step.Phase == apply.Waiting || e.Step.Phase == apply.Skipped {
		return
	}
	s := trace.Span{Name: fmt.Sprintf("%s %s", e.Step.Step.Verb, e.Step.Step.Key), Begun: e.At.Add(-e.Step.Elapsed.D()), Ended: e.At}
	if cause := e.Step.Step.Cause; cause != "" {
		s.Attributes = []trace.Attribute{{Key: "syncd.cause", Value: resource.Harmless(cause, traceReason)}}
	}
	if e.Step.Phase == apply.FailedNow {
		s.Failed = resource.Harmless(e.Step.Detail, traceReason)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.steps[e.App]) < mostSteps {
		t.steps[e.App] = append(t.steps[e.App], s)
	}
}

// taken are the steps of the pass that ends now.
func (t *tracer) taken(app string) []trace.Span {
	t.mu.Lock()
	defer t.mu.Unlock()
	steps := t.steps[app]
	delete(t.steps, app)
	return steps
}

// spanOf is a pass with its phases, and these with the steps that ended in them.
func spanOf(r reconcile.Result, steps []trace.Span) trace.Span {
	root := trace.Span{
		Name: "pass " + r.App, Begun: r.Started, Ended: r.Started.Add(r.Duration.D()),
		Attributes: []trace.Attribute{
			{Key: "syncd.app", Value: r.App}, {Key: "syncd.outcome", Value: string(r.Outcome)},
			{Key: "vcs.ref.head.revision", Value: r.Revision.Commit}, {Key: "syncd.reason", Value: resource.Harmless(r.Reason, traceReason)},
		},
	}
	if levelOf(r.Outcome) >= slog.LevelWarn {
		root.Failed = cmp.Or(resource.Harmless(r.Reason, traceReason), string(r.Outcome))
	}
	for _, s := range r.Stretches {
		phase := trace.Span{Name: s.Phase, Begun: s.Begun, Ended: s.Begun.Add(s.Took)}
		if s.Phase == "rollout" {
			phase.Parts, steps = endedBy(steps, phase.Ended)
		}
		root.Parts = append(root.Parts, phase)
	}
	root.Parts = append(root.Parts, steps...)
	slices.SortStableFunc(root.Parts, func(a, b trace.Span) int { return a.Begun.Compare(b.Begun) })
	for _, part := range root.Parts { // it may have been rendered before its turn came
		if part.Begun.Before(root.Begun) {
			root.Begun = part.Begun
		}
		if part.Ended.After(root.Ended) {
			root.Ended = part.Ended
		}
	}
	return root
}

// endedBy separates the steps that have ended by then from the others.
func endedBy(steps []trace.Span, then time.Time) (in, out []trace.Span) {
	for _, s := range steps {
		if s.Ended.After(then) {
			out = append(out, s)
		} else {
			in = append(in, s)
		}
	}
	return in, out
}
