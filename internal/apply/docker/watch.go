package docker

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
)

// Backoff between two attempts to listen again.
const (
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// watched is the allow-list of events. Each health probe alone makes three exec
// events, which are none of our business.
func watched() filters.Args {
	args := filters.NewArgs()
	for _, kind := range []events.Type{events.ContainerEventType, events.NetworkEventType, events.VolumeEventType} {
		args.Add("type", string(kind))
	}
	for _, action := range []events.Action{
		events.ActionDie, events.ActionStop, events.ActionStart, events.ActionPause, events.ActionUnPause,
		events.ActionDestroy, events.ActionRename, events.ActionUpdate, events.ActionOOM, events.ActionHealthStatus,
		events.ActionConnect, events.ActionDisconnect, "destroy",
		events.ActionCreate, // of marks only, see projectOf
	} {
		args.Add("event", string(action))
	}
	return args
}

// Watch sends the name of a project after something of it changed on the engine
// or somebody took it over, and "" where any may have: once it listens, also again
// after the connection was lost, and after a network or named volume was removed, which
// name no project. The channel is closed when ctx ends. A slow reader delays
// events; it loses none.
func (e *Engine) Watch(ctx context.Context) <-chan string {
	out := make(chan string)
	go func() {
		defer close(out)
		wait := firstRetry
		for ctx.Err() == nil {
			heard, err := e.listen(ctx, out)
			if heard {
				wait = firstRetry
			}
			if err != nil && ctx.Err() == nil && e.opts.Deaf != nil {
				e.opts.Deaf(err)
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait/2 + rand.N(wait/2)): // not all agents of an engine at once
			}
			wait = min(2*wait, lastRetry)
		}
	}()
	return out
}

// listen passes events on until the connection ends. It says first that it listens:
// what happens from then on is heard, and what happened before is not, neither what was
// lost nor what came between somebody's first look and this. Where that cannot be said,
// it ends, for it is to be said the next time. It tells whether any came, and what ended
// them.
func (e *Engine) listen(ctx context.Context, out chan<- string) (heard bool, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	messages, errs := e.api.Events(ctx, events.ListOptions{Filters: watched()})
	if err := e.Ping(ctx); err != nil {
		return false, err
	}
	e.forgetFacts()
	send(ctx, out, "")
	owners := map[string]string{}
	for {
		select {
		case <-ctx.Done():
			return heard, nil
		case err := <-errs:
			return heard, e.classify(ctx, "listen to the engine's events", err)
		case m := <-messages:
			heard = true
			if project, ok := e.projectOf(ctx, m, owners); ok {
				send(ctx, out, project)
			}
		}
	}
}

func send(ctx context.Context, out chan<- string, value string) {
	select {
	case out <- value:
	case <-ctx.Done():
	}
}

// projectOf returns whose event it is; ok is false where it is nobody's. owners
// remembers the projects of containers that events of networks name by ID.
func (e *Engine) projectOf(ctx context.Context, m events.Message, owners map[string]string) (project string, ok bool) {
	labels := m.Actor.Attributes
	if taken, ok := parseMark(m.Actor.ID); ok && m.Type == events.VolumeEventType {
		return taken.app, true
	}
	if m.Action == events.ActionCreate { // what is made does nothing yet
		return "", false
	}
	switch m.Type {
	case events.ContainerEventType:
		project = labels[labelProject]
		return project, project != "" && labels[labelCheck] == ""
	case events.NetworkEventType:
		if id := labels["container"]; id != "" {
			project = e.ownerOf(ctx, id, owners)
			return project, project != ""
		}
		return "", true
	default:
		return "", !anonymous.MatchString(m.Actor.ID)
	}
}

// ownerOf returns the project of a container; "" where it has none, or is gone:
// then its own events tell.
func (e *Engine) ownerOf(ctx context.Context, id string, owners map[string]string) string {
	if project, known := owners[id]; known {
		return project
	}
	in, err := e.inspect(ctx, id)
	if err != nil || in.Config == nil {
		return ""
	}
	if len(owners) >= maxOwners {
		clear(owners)
	}
	owners[id] = in.Config.Labels[labelProject]
	if in.Config.Labels[labelCheck] != "" {
		owners[id] = ""
	}
	return owners[id]
}

const maxOwners = 1000
