package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/go-connections/nat"

	"syncd.io/syncd/internal/gate"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// A gate's own side.
const (
	// gatePort is where every gate listens in its container: one gate, one port.
	gatePort = 8080
	gateUser = "65534:65534"
	gateDir  = "/gate"
)

// gateSlot is the route that a gate serves.
func gateSlot(labels map[string]string) resource.Key {
	service, name, _ := strings.Cut(labels[labelGate], "/")
	return resource.Key{Kind: spec.KindRoute, Namespace: service, Name: name}
}

// gate returns the gate of a route: one that runs, else this one, else any.
func (s *snapshot) gate(route resource.Key, this resource.Ref) (found, bool) {
	var out found
	there := false
	for _, g := range s.gates {
		nearer := !out.running() && (g.State.Running || g.ID == this.ID)
		if gateSlot(g.labels()) == route && (!there || nearer) {
			out, there = g, true
		}
	}
	return out, there
}

func (f found) running() bool { return f.ContainerJSONBase != nil && f.State.Running }

// beginGate makes a gate and starts it. It knows its table before it starts. Where
// another agent has just taken the edge network or the image away, with its own
// last gate, nothing is left behind: whoever tries again makes them anew.
func (t *Target) beginGate(ctx context.Context, s *snapshot, o resource.Object, r spec.Route, table gate.Table) (string, error) {
	image, err := t.engine.gateImage(ctx)
	if err != nil {
		return "", err
	}
	if err := t.engine.edge(ctx); err != nil {
		return "", err
	}
	id, err := t.createGate(ctx, t.gateName(o.Key), t.gateLabels(o), r, image)
	if err != nil {
		return "", err
	}
	err = t.armGate(ctx, s, fresh(id), r, table)
	if err == nil {
		if err = t.engine.start(ctx, id); !raced(err) {
			return id, err
		}
	}
	return "", errors.Join(err, t.engine.discard(ctx, id))
}

// fresh is a container that has just been made.
func fresh(id string) found {
	return found{InspectResponse: container.InspectResponse{ContainerJSONBase: &container.ContainerJSONBase{ID: id}}}
}

// armGate gives a gate that does not run its networks and its table.
func (t *Target) armGate(ctx context.Context, s *snapshot, g found, r spec.Route, table gate.Table) error {
	if err := t.join(ctx, s, g, r, table); err != nil {
		return err
	}
	return t.engine.writeTable(ctx, g.ID, table)
}

func (t *Target) gateLabels(o resource.Object) map[string]string {
	labels := map[string]string{}
	t.commonLabels(labels, o)
	// A one-off is what Compose itself does not count among its services.
	labels[labelGate], labels[labelOneoff] = o.Key.Namespace+"/"+o.Key.Name, "True"
	return labels
}

func (t *Target) createGate(ctx context.Context, name string, labels map[string]string, r spec.Route, image string) (string, error) {
	port := nat.Port(strconv.Itoa(gatePort) + "/tcp")
	config := &container.Config{Image: image, User: gateUser, Labels: labels, ExposedPorts: nat.PortSet{port: {}}, Cmd: []string{"serve", "-dir", gateDir}}
	grace := gateGrace(storedRoute(r).Drain)
	config.StopTimeout = &grace
	host := &container.HostConfig{
		NetworkMode: edgeName, PortBindings: nat.PortMap{port: {{HostIP: r.Port.HostIP, HostPort: r.Port.Published}}},
		RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyAlways}, CapDrop: []string{"ALL"},
		SecurityOpt: []string{"no-new-privileges"}, LogConfig: container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "1m", "max-file": "2"}},
	}
	limited, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	made, err := t.engine.api.ContainerCreate(limited, config, host, nil, nil, name)
	if err != nil {
		return "", t.engine.classify(ctx, "create gate "+name, err)
	}
	return made.ID, nil
}

// gateGrace is how many seconds a gate may take to end.
func gateGrace(drain time.Duration) int { return int(drain/time.Second) + 1 }

func (t *Target) gateName(route resource.Key) string {
	return fmt.Sprintf("%s-%s-gate-%s", t.project, route.Namespace, strings.NewReplacer(":", "-", "[", "", "]", "").Replace(route.Name))
}

// tellGate hands a table to a gate, and starts one that has stopped or stands
// still.
func (t *Target) tellGate(ctx context.Context, s *snapshot, g found, r spec.Route, table gate.Table) error {
	if !g.State.Running {
		if err := t.armGate(ctx, s, g, r, table); err != nil {
			return err
		}
		if err := t.engine.revive(ctx, g.ID); err != nil {
			return err
		}
		return t.engine.start(ctx, g.ID)
	}
	if err := t.restore(ctx, s, g); err != nil {
		return err
	}
	if err := t.join(ctx, s, g, r, table); err != nil {
		return err
	}
	return t.engine.tell(ctx, g.ID, table)
}

// gateState is running, unless it is not, or nothing would start it again, or it
// is called otherwise.
func (t *Target) gateState(s *snapshot, g found) string {
	switch now := state(g.State, false); {
	case now != stateRunning:
		return now
	case !g.HostConfig.RestartPolicy.IsAlways():
		return "running, and not restarted"
	case t.misnamed(s.gates, g):
		return "running, and called " + g.name()
	}
	return stateRunning
}

// misnamed tells whether the only gate of a slot has another than its own name:
// one that took another's place was made beside it.
func (t *Target) misnamed(gates []found, g found) bool {
	route := gateSlot(g.labels())
	return g.name() != t.gateName(route) && !slices.ContainsFunc(gates, func(o found) bool { return o.ID != g.ID && gateSlot(o.labels()) == route })
}

// restore undoes what somebody did to a gate that runs.
func (t *Target) restore(ctx context.Context, s *snapshot, g found) error {
	if err := t.unpause(ctx, g); err != nil {
		return err
	}
	if t.misnamed(s.gates, g) {
		if err := t.engine.rename(ctx, g.ID, t.gateName(gateSlot(g.labels()))); err != nil {
			return err
		}
	}
	if g.HostConfig.RestartPolicy.IsAlways() {
		return nil
	}
	return t.engine.revive(ctx, g.ID)
}

// revive undoes what Stop did to the restart policy.
func (e *Engine) revive(ctx context.Context, id string) error {
	return e.update(ctx, id, container.UpdateConfig{RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyAlways}})
}

// join joins the gate to where it is to answer by name, and to its backends.
func (t *Target) join(ctx context.Context, s *snapshot, g found, r spec.Route, table gate.Table) error {
	on, err := t.engine.nameGate(ctx, g, r.Aliases)
	if err != nil {
		return err
	}
	return t.reach(ctx, s, g.ID, on, table)
}

// reach joins the gate to a network of each backend that it shares none with.
func (t *Target) reach(ctx context.Context, s *snapshot, id string, on []string, table gate.Table) error {
	for _, b := range table.Backends {
		i := slices.IndexFunc(s.containers, func(f found) bool { return short(f.ID) == b.ID })
		if i < 0 || b.Draining || reaches(on, s.containers[i]) {
			continue
		}
		theirs := s.containers[i].networks()
		if err := t.engine.connect(ctx, theirs[0], id, &network.EndpointSettings{}); err != nil {
			return err
		}
		on = append(on, theirs[0])
	}
	return nil
}

// networks are the names of the networks that the container is on, in order.
func (f found) networks() []string {
	if f.NetworkSettings == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(f.NetworkSettings.Networks))
}

// reaches tells whether f can be reached from networks: it is on one of them, or
// on none of its own.
func reaches(networks []string, f found) bool {
	theirs := f.networks()
	return len(theirs) == 0 || slices.ContainsFunc(theirs, func(n string) bool { return slices.Contains(networks, n) })
}

// gatePublished is the port that a gate holds on the host; whose port it leads
// to, its table says.
func gatePublished(g found) spec.Port {
	for _, bindings := range g.HostConfig.PortBindings {
		for _, b := range bindings {
			return spec.Port{HostIP: b.HostIP, Published: b.HostPort, Protocol: "tcp"}
		}
	}
	return spec.Port{}
}

// gateHealth is what a look from outside tells of a gate.
func (t *Target) gateHealth(g found) resource.Health {
	if !g.State.Running {
		return resource.Health{State: resource.Failed, Reason: "the gate has stopped"}
	}
	return resource.Health{State: resource.Well, Started: true, Restarts: g.RestartCount}
}

// routeHealth asks the gate: it is well when its port is open as it should be,
// and those who left have finished.
func (t *Target) routeHealth(ctx context.Context, ref resource.Ref) (resource.Health, error) {
	in, err := t.engine.inspect(ctx, ref.ID)
	if gone(err) {
		return resource.Health{State: resource.Absent, Reason: "the gate is gone"}, nil
	}
	if err != nil {
		return resource.Health{}, err
	}
	h := t.gateHealth(found{InspectResponse: in})
	if h.State != resource.Well {
		return h, nil
	}
	a, err := t.engine.awaitGate(ctx, ref.ID)
	if err != nil {
		return resource.Health{}, err
	}
	if reason := a.Unsettled(); reason != "" {
		h.State, h.Reason = resource.Progressing, reason
	}
	return h, nil
}
