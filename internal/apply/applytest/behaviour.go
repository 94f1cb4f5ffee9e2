package applytest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/resource"
)

// Behaviour is the part of an object's spec that Memory understands; all other
// fields are only compared. Health is one of
//
//	""              healthy at once, by a healthcheck
//	"running"       runs, and nothing probes it
//	"never"         starting for ever
//	"slow:3s"       starting for 3 s, then healthy
//	"dies:2s"       healthy for 2 s, then unhealthy
//	"crashloop:1s"  runs 1 s (or half a second), crashes, is restarted, for ever
//	"crashes:2"     crashes twice in its first second, then runs
//	"exit:1:2s"     ends with that code, after 2 s (or at once)
//
// and of a job, where it is empty, "exit:0".
type Behaviour struct {
	Image  string `json:"image,omitempty"`
	Health string `json:"health,omitempty"`
	// Limits are mended in place.
	Limits any `json:"limits,omitempty"`
	// Invalid makes Validate and Put refuse the object, for this reason.
	Invalid string `json:"invalid,omitempty"`
}

// backoff is how long a crashed instance waits for its restart.
const backoff = 200 * time.Millisecond

// behaviour is Behaviour.Health, taken apart.
type behaviour struct {
	word   string
	code   int
	period time.Duration
}

func parse(o resource.Object) (Behaviour, behaviour, error) {
	var spec Behaviour
	if err := json.Unmarshal(o.Spec, &spec); err != nil && o.Spec != nil {
		return spec, behaviour{}, fmt.Errorf("read the spec of %s: %w", o.Key, err)
	}
	if o.Once && spec.Health == "" {
		spec.Health = "exit:0"
	}
	parts := strings.Split(spec.Health, ":")
	b := behaviour{word: parts[0]}
	for _, p := range parts[1:] {
		if n, err := strconv.Atoi(p); err == nil {
			b.code = n
			continue
		}
		d, err := time.ParseDuration(p)
		if err != nil {
			return spec, b, fmt.Errorf("read the health of %s: %w", o.Key, err)
		}
		b.period = d
	}
	if b.word == "crashloop" && b.period == 0 || b.word == "crashes" {
		b.period = 500 * time.Millisecond
	}
	return spec, b, nil
}

// exited tells whether the instance has ended by itself.
func (i *instance) exited() bool {
	return i.running && i.act.word == "exit" && time.Since(i.started) >= i.act.period
}

// alive tells whether the instance runs, and holds its claims.
func (i *instance) alive() bool { return i.running && !i.exited() }

// restarts counts how often the target restarted the instance, and tells
// whether it waits for the next one.
func (i *instance) restarts() (count int, waiting bool) {
	if i.act.word != "crashloop" && i.act.word != "crashes" {
		return i.extra, false
	}
	round := i.act.period + backoff
	count = int(time.Since(i.started) / round)
	waiting = time.Since(i.started)%round >= i.act.period
	if i.act.word == "crashes" && count >= i.act.code {
		return i.act.code + i.extra, false
	}
	return count + i.extra, waiting
}

// healthOf needs m.mu.
func (m *Memory) healthOf(i *instance) resource.Health {
	count, waiting := i.restarts()
	h := resource.Health{State: resource.Progressing, Started: i.ran, Restarts: count, Check: "healthcheck"}
	switch {
	case i.object.Group == "" || i.object.Key.Kind == "route":
		return resource.Health{State: resource.Well, Started: true}
	case i.exited():
		return i.ended(h)
	case !i.running:
		h.Reason = "stopped"
		if i.ran {
			h.State = resource.Failed
		}
	case i.failing != "":
		h.State, h.Reason = resource.Failed, i.failing
	case m.orphaned(i):
		h.State, h.Reason = resource.Failed, "its namespace is gone"
	default:
		return i.runningHealth(h, waiting)
	}
	return h
}

func (i *instance) ended(h resource.Health) resource.Health {
	code := i.act.code
	h.State, h.Check, h.ExitCode, h.Reason = resource.Failed, "exit", &code, fmt.Sprintf("exited %d", code)
	if i.object.Once && code == 0 {
		h.State = resource.Well
	}
	return h
}

func (i *instance) runningHealth(h resource.Health, waiting bool) resource.Health {
	age := time.Since(i.started)
	switch word := i.act.word; {
	case word == "exit":
		h.Reason = "running"
	case word == "never", word == "slow" && age < i.act.period:
		h.Reason = "starting"
	case word == "dies" && age >= i.act.period:
		h.State, h.Reason = resource.Failed, "unhealthy"
	case waiting:
		h.Check, h.Reason = "restarts", "restarting"
	case word == "running", word == "crashloop", word == "crashes":
		h.State, h.Check = resource.Well, apply.CheckRunning
	default:
		h.State = resource.Well
	}
	return h
}

// orphaned tells whether what i shares a namespace with has gone or stopped.
func (m *Memory) orphaned(i *instance) bool {
	for key, id := range i.peers {
		peer := m.find(key, resource.Ref{ID: id})
		if peer == nil || peer.object.Group != "" && (!peer.alive() || peer.started.After(i.started)) {
			return true
		}
	}
	return false
}
