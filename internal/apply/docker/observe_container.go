package docker

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// comparison is one wanted container beside what is live in its slot.
type comparison struct {
	want   spec.Container
	stored spec.Container
	once   bool
	image  *imageFacts
	// raw is stored as canonical JSON.
	raw json.RawMessage
}

// memo is a comparison and the object's spec that it came from.
type memo struct {
	spec json.RawMessage
	comparison
}

// compare reads o and says it as the engine would store it.
func (t *Target) compare(ctx context.Context, o resource.Object) (*comparison, error) {
	t.mu.Lock()
	known, ok := t.compared[o.Key]
	t.mu.Unlock()
	if ok && known.once == o.Once && bytes.Equal(known.spec, o.Spec) {
		return &known.comparison, nil
	}
	c, err := t.work(ctx, o)
	if err == nil && !c.image.absent {
		t.mu.Lock()
		t.compared[o.Key] = memo{slices.Clone(o.Spec), *c}
		t.mu.Unlock()
	}
	return c, err
}

func (t *Target) work(ctx context.Context, o resource.Object) (*comparison, error) {
	want, err := decode[spec.Container](o)
	if err != nil {
		return nil, err
	}
	c := &comparison{want: want, once: o.Once, image: &imageFacts{absent: true}}
	if want.Pin != "" {
		if c.image, err = t.engine.image(ctx, want.Pin); err != nil {
			return nil, err
		}
	}
	c.stored = stored(want, c.image)
	if o.Once {
		c.stored.State = stateDone
	}
	c.raw, err = resource.Canonical(c.stored)
	return c, err
}

// live returns f in c's terms; a nil c compares with nothing.
func (t *Target) live(ctx context.Context, s *snapshot, f found, c *comparison) (spec.Container, error) {
	image, err := t.engine.image(ctx, f.Image)
	if err != nil {
		return spec.Container{}, err
	}
	if c == nil {
		return s.live(f, image, nil, f.labels()[labelOnce] == "true"), nil
	}
	if !c.image.absent {
		out := s.live(f, image, &c.stored, c.once)
		if image.absent {
			restrict(&out, c.stored)
		}
		t.takeOver(&out, f, c)
		return out, nil
	}
	out := s.live(f, &imageFacts{absent: true}, &c.stored, c.once)
	restrict(&out, c.stored)
	t.takeOver(&out, f, c)
	return out, nil
}

// takeOver looks at an adopted container's files by what they hold.
func (t *Target) takeOver(live *spec.Container, f found, c *comparison) {
	if !ours(f) {
		t.engine.sameContent(live, c.stored)
	}
}

func (t *Target) observeContainer(ctx context.Context, s *snapshot, p *resource.Pair) error {
	var c *comparison
	if p.Want != nil {
		var err error
		if c, err = t.compare(ctx, *p.Want); err != nil {
			return err
		}
	}
	instances := s.slotInstances(p.Key)
	for _, f := range instances {
		instance, err := t.instance(ctx, s, f, c)
		if err != nil {
			return err
		}
		p.Live = append(p.Live, instance)
	}
	if c == nil {
		return nil
	}
	contend(p, c, instances)
	p.Stored, p.InPlace = c.raw, s.inPlace(c, instances)
	if c.once && slices.ContainsFunc(instances, func(f found) bool { return f.State.Running }) {
		running := c.stored
		running.State = stateRunning
		var err error
		p.Stored, err = resource.Canonical(running)
		return err
	}
	return nil
}

func (t *Target) instance(ctx context.Context, s *snapshot, f found, c *comparison) (resource.Instance, error) {
	live, err := t.live(ctx, s, f, c)
	if err != nil {
		return resource.Instance{}, err
	}
	if c != nil && !ours(f) {
		t.keepHooks(f.ID, hooks{PostStart: c.want.PostStart, PreStop: c.want.PreStop})
	}
	raw, err := resource.Canonical(live)
	if err != nil {
		return resource.Instance{}, err
	}
	out := resource.Instance{
		Ref: resource.Ref{ID: f.ID}, Hash: f.labels()[labelHash], Spec: raw,
		Health:  t.healthOf(f.slot, f.InspectResponse),
		Running: f.State.Running || f.State.Restarting, Claims: claims(live),
		Foreign: !t.mayTouch(s, f),
	}
	for _, e := range live.Networks {
		out.Refs = append(out.Refs, resource.Key{Kind: spec.KindNetwork, Name: e.Network})
	}
	if out.Foreign {
		out.Maker = maker(f.labels())
	}
	return out, nil
}

// same tells whether a and b are equal beyond the fields of inPlace.
func same(a, b spec.Container, inPlace []string) (bool, error) {
	return equal(fixed(a, inPlace), fixed(b, inPlace))
}

// equal tells whether a and b are the same as canonical JSON: what differs there
// would be shown as a difference.
func equal(a, b any) (bool, error) {
	x, err := resource.Canonical(a)
	if err != nil {
		return false, err
	}
	y, err := resource.Canonical(b)
	return bytes.Equal(x, y), err
}
