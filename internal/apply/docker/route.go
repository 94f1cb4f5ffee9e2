package docker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/gate"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// Route implements apply.Router: the slot's gate is there, knows who serves, and
// has been told.
func (t *Target) Route(ctx context.Context, o resource.Object, to apply.Traffic) (resource.Ref, error) {
	t.routing.Lock() // slots of one service change side by side, each by what it reads first
	defer t.routing.Unlock()
	ref, err := again(func() (resource.Ref, error) {
		id, err := t.route(ctx, o, to)
		return resource.Ref{ID: id}, err
	})
	if err != nil {
		return resource.Ref{}, fmt.Errorf("put %s: %w", o.Key, err)
	}
	return ref, nil
}

func (t *Target) route(ctx context.Context, o resource.Object, to apply.Traffic) (string, error) {
	r, err := decode[spec.Route](o)
	if err != nil {
		return "", err
	}
	s, err := t.look(ctx)
	if err != nil {
		return "", err
	}
	if s.title == lost {
		return "", s.owner.takenOver()
	}
	g, there := s.gate(o.Key, to.Of)
	before := gate.Table{}
	if there {
		if before, err = t.engine.readTable(ctx, g.ID); err != nil {
			return "", err
		}
	}
	after := nextTable(before, r, to, s.alive())
	if there {
		err := t.tellGate(ctx, s, g, r, after)
		if g.State.Running || !cerrdefs.IsNotFound(err) {
			return g.ID, err
		}
		// A network that it stood on has been made anew: it can never start again.
		if err := t.engine.discard(ctx, g.ID); err != nil {
			return "", err
		}
	}
	return t.beginGate(ctx, s, o, r, after)
}

// Refuse implements apply.Router. A gate that does not run lets nobody wait.
func (t *Target) Refuse(ctx context.Context) error {
	t.routing.Lock()
	defer t.routing.Unlock()
	s, err := t.look(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, g := range s.gates {
		if g.State.Running && t.mayTouch(s, g) {
			errs = append(errs, t.engine.endHold(ctx, g.ID))
		}
	}
	return errors.Join(errs...)
}

func (e *Engine) endHold(ctx context.Context, id string) error {
	table, err := e.readTable(ctx, id)
	if err != nil || table.Hold == nil {
		return err
	}
	table.Hold = nil
	return e.tell(ctx, id, table)
}

// nextTable is the table after a change of traffic. alive are the containers
// that run: nobody else serves.
func nextTable(before gate.Table, r spec.Route, to apply.Traffic, alive map[string]bool) gate.Table {
	after := settings(r)
	members := map[string]gate.Backend{}
	for _, b := range before.Backends {
		members[b.ID] = gate.Backend{Draining: b.Draining || to.Only, Share: b.Share}
	}
	for _, ref := range to.In {
		members[short(ref.ID)] = gate.Backend{Share: to.Share}
	}
	for _, ref := range to.Out {
		if _, known := members[short(ref.ID)]; known {
			members[short(ref.ID)] = gate.Backend{Draining: true}
		}
	}
	serves := false
	for id, b := range members {
		if !alive[id] {
			continue
		}
		serves = serves || !b.Draining
		b.ID, b.Port = id, uint16(r.Port.Target)
		after.Backends = append(after.Backends, b)
	}
	slices.SortFunc(after.Backends, func(a, b gate.Backend) int { return strings.Compare(a.ID, b.ID) })
	switch {
	case to.Hold:
		after.Hold = holdFor(storedRoute(r).Drain, to.Wait.D())
	case !serves:
		after.Hold = before.Hold
	}
	return after
}

// holdFor lets each wait for those who leave, and then for whoever comes next.
// The gate's own default is what a stop and a start take besides.
func holdFor(drain, wait time.Duration) *gate.Hold {
	return &gate.Hold{For: resource.Duration(min(drain+wait+gate.DefaultHoldFor, gate.MaxHoldFor))}
}

// settings is a table without traffic.
func settings(r spec.Route) gate.Table {
	inside := uint16(0)
	if len(r.Aliases) > 0 {
		inside = uint16(r.Port.Target)
	}
	return gate.Table{
		Inside: inside, Format: gate.Format, Mode: gate.Mode(r.Mode), Port: gatePort, Drain: resource.Duration(r.Drain),
		ProxyProtocol: r.ProxyProtocol, Sticky: r.Sticky,
	}
}

// alive are the containers of the project that run, by short ID. One that its
// restart policy is about to start again runs, in the engine's words.
func (s *snapshot) alive() map[string]bool {
	out := map[string]bool{}
	for _, f := range s.containers {
		out[short(f.ID)] = f.State.Running
	}
	return out
}

// observeRoute says a slot's gates in the same form as the wanted route, with
// who should be served and is not.
func (t *Target) observeRoute(ctx context.Context, s *snapshot, p *resource.Pair) error {
	var want *spec.Route
	if p.Want != nil {
		r, err := decode[spec.Route](*p.Want)
		if err != nil {
			return err
		}
		r = storedRoute(r)
		if p.Stored, err = resource.Canonical(r); err != nil {
			return err
		}
		want, p.InPlace = &r, []string{pointerState, "/mode", "/drain", "/proxy_protocol", "/sticky", "/aliases", "/backends"}
	}
	for _, g := range s.gates {
		if gateSlot(g.labels()) != p.Key {
			continue
		}
		live, err := t.liveRoute(ctx, s, g, want)
		if err != nil {
			return err
		}
		p.Live = append(p.Live, live)
	}
	return nil
}

// storedRoute spells the gate's defaults out, and that it runs.
func storedRoute(r spec.Route) spec.Route {
	r.State = stateRunning
	if r.Drain == 0 {
		r.Drain = gate.DefaultDrain
	}
	return r
}

func (t *Target) liveRoute(ctx context.Context, s *snapshot, g found, want *spec.Route) (resource.Instance, error) {
	table, err := t.engine.readTable(ctx, g.ID)
	if err != nil {
		return resource.Instance{}, err
	}
	r := spec.Route{
		State: t.gateState(s, g), Service: gateSlot(g.labels()).Namespace, Mode: string(table.Mode), Drain: storedDrain(table),
		ProxyProtocol: table.ProxyProtocol, Sticky: table.Sticky, Port: gatePublished(g),
	}
	if want != nil && len(table.Backends) > 0 {
		r.Port.Target = int(table.Backends[0].Port)
	} else if want != nil {
		r.Port.Target = want.Port.Target
	}
	if table.Inside != 0 {
		r.Aliases = gateNames(g)
	}
	r.Backends = t.unserved(s, g, table)
	raw, err := resource.Canonical(r)
	if err != nil {
		return resource.Instance{}, err
	}
	return resource.Instance{
		Ref: resource.Ref{ID: g.ID}, Hash: g.labels()[labelHash], Spec: raw, Running: g.State.Running, Foreign: !t.mayTouch(s, g),
		Health: t.gateHealth(g), Claims: []resource.Claim{{Kind: resource.ClaimPort, Value: portClaim(r.Port)}},
	}, nil
}

// unserved names the service's running containers that are as wanted, and that
// the table leaves out, gives a canary's share only, or cannot reach.
func (t *Target) unserved(s *snapshot, g found, table gate.Table) string {
	var missing []string
	for _, f := range s.containers {
		if f.slot.Namespace != gateSlot(g.labels()).Namespace || !f.State.Running || !t.wants(f) {
			continue
		}
		if !reaches(g.networks(), f) || !slices.ContainsFunc(table.Backends, func(b gate.Backend) bool { return b.ID == short(f.ID) && !b.Draining && b.Share == 0 }) {
			missing = append(missing, f.slot.Namespace+"/"+f.slot.Name)
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return "without " + strings.Join(missing, ", ")
}

// wants tells whether the container is of the version that is wanted, as far as
// its label says.
func (t *Target) wants(f found) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	want, wanted := t.wanted[f.slot]
	made := f.labels()[labelHash]
	return wanted && (made == "" || made == want.Hash())
}

// validateRoute sees that a gate can be made, and that its port is free.
func (t *Target) validateRoute(ctx context.Context, o resource.Object, holders []holder) error {
	r, err := decode[spec.Route](o)
	if err != nil {
		return err
	}
	if _, err := t.engine.gateImage(ctx); err != nil {
		return err
	}
	return t.engine.portFree(ctx, r.Port, holders)
}
