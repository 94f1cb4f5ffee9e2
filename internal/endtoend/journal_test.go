package endtoend_test

import (
	"context"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/volume"

	"syncd.io/syncd/internal/apply/docker/dockertest"
)

// journal returns what happened to the project on the engine while do ran, in
// order: container events (health included), and those of its networks and
// volumes.
func (h *host) journal(do func()) []events.Message {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), passLimit)
	defer cancel()
	messages, errs := h.api.Events(ctx, events.ListOptions{Filters: changes()})
	do()
	// An event of our own ends the journal: the engine keeps their order.
	last, err := h.api.VolumeCreate(ctx, volume.CreateOptions{Name: h.project + "-end-" + dockertest.Name()})
	h.must(err)
	var out []events.Message
	for {
		select {
		case m := <-messages:
			if m.Actor.ID == last.Name {
				h.must(h.api.VolumeRemove(ctx, last.Name, true))
				return out
			}
			if h.concerns(m) {
				out = append(out, m)
			}
		case err := <-errs:
			h.t.Fatalf("the engine's events ended: %v", err)
		}
	}
}

func changes() filters.Args {
	args := filters.NewArgs()
	for _, action := range []string{
		"create", "start", "die", "stop", "kill", "destroy", "rename", "update", "pause", "unpause",
		"health_status", "connect", "disconnect",
	} {
		args.Add("event", action)
	}
	return args
}

func (h *host) concerns(m events.Message) bool {
	name := m.Actor.Attributes["name"]
	return m.Actor.Attributes["com.docker.compose.project"] == h.project ||
		strings.HasPrefix(name, h.project) || strings.HasPrefix(m.Actor.ID, h.project)
}

// touched are the journal's lines that say that something was changed.
func touched(journal []events.Message) []string {
	var out []string
	for _, m := range journal {
		if !strings.HasPrefix(string(m.Action), "health_status") {
			out = append(out, string(m.Type)+" "+string(m.Action)+" "+m.Actor.Attributes["name"])
		}
	}
	return out
}

// untouched fails the test if do changed anything of the project.
func (h *host) untouched(do func()) {
	h.t.Helper()
	if lines := touched(h.journal(do)); len(lines) > 0 {
		h.t.Errorf("something was touched: %s", strings.Join(lines, "; "))
	}
}

// fewestHealthy is the smallest number of healthy containers that the service
// had at any time of the journal, beginning with those that are given.
func fewestHealthy(journal []events.Message, service string, before []container.InspectResponse) int {
	healthy := map[string]bool{}
	for _, c := range before {
		healthy[c.ID] = c.State.Health != nil && c.State.Health.Status == container.Healthy
	}
	count := func() (n int) {
		for _, ok := range healthy {
			if ok {
				n++
			}
		}
		return n
	}
	fewest := []int{count()}
	for _, m := range journal {
		if m.Type != events.ContainerEventType || m.Actor.Attributes["com.docker.compose.service"] != service {
			continue
		}
		switch m.Action {
		case events.ActionHealthStatusHealthy:
			healthy[m.Actor.ID] = true
		case events.ActionHealthStatusUnhealthy, events.ActionDie, events.ActionKill, events.ActionPause:
			healthy[m.Actor.ID] = false
		default:
		}
		fewest = append(fewest, count())
	}
	return slices.Min(fewest)
}
