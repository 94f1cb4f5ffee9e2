package applytest

import (
	"context"
	"fmt"
	"slices"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// images are those that the target does not hold, and those that nobody has.
type images struct {
	absent  map[string]bool
	unknown map[string]bool
	down    bool
}

// ImageAbsent lets an image be in the registry only; Pin with pull fetches it.
func (m *Memory) ImageAbsent(image string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.images.absent[image] = true
}

// ImageUnknown lets an image not exist anywhere.
func (m *Memory) ImageUnknown(image string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.images.unknown[image] = true
}

// RegistryDown lets every fetch fail, or work again.
func (m *Memory) RegistryDown(down bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.images.down = down
}

// Pin writes "pin": "sha256:IMAGE" into every spec that has an image and no pin.
func (m *Memory) Pin(ctx context.Context, objects []resource.Object, pull bool) (pinned []resource.Object, missing []string, err error) {
	out := slices.Clone(objects)
	var failed error
	err = m.look(ctx, Call{Verb: "pin"}, func() {
		for i := range out {
			name, err := m.pin(&out[i], pull)
			if err != nil {
				failed = err
				return
			}
			if name != "" && !slices.Contains(missing, name) {
				missing = append(missing, name)
			}
		}
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return nil, nil, err
	}
	return out, missing, nil
}

// pin returns the name of an image that is missing.
func (m *Memory) pin(o *resource.Object, pull bool) (string, error) {
	fields := fieldsOf(o.Spec)
	image, ok := fields["image"].(string)
	if _, done := fields["pin"]; !ok || done {
		return "", nil
	}
	switch away := m.images.absent[image] || m.images.unknown[image]; {
	case away && !pull:
		return image, nil
	case m.images.unknown[image]:
		return "", fault.As(fault.Rejected, fmt.Errorf("pull %s for %s: no such image", image, o.Key))
	case away && m.images.down:
		return "", fault.As(fault.Unreachable, fmt.Errorf("pull %s for %s: the registry does not answer", image, o.Key))
	}
	delete(m.images.absent, image)
	fields["pin"] = "sha256:" + image
	raw, err := resource.Canonical(fields)
	o.Spec = raw
	return "", err
}

// Validate refuses objects whose spec says "invalid".
func (m *Memory) Validate(ctx context.Context, objects []resource.Object) error {
	var failed error
	err := m.look(ctx, Call{Verb: "validate"}, func() {
		for _, o := range objects {
			spec, _, err := parse(o)
			if err == nil && spec.Invalid != "" {
				err = fmt.Errorf("%s: invalid: %s", o.Key, spec.Invalid)
			}
			if err != nil {
				failed = fault.As(fault.Rejected, err)
				return
			}
		}
	})
	if err != nil {
		return err
	}
	return failed
}

// Logs returns what an instance would have printed: its image, and its end.
func (m *Memory) Logs(ctx context.Context, key resource.Key, ref resource.Ref, lines int) (out []string, err error) {
	err = m.look(ctx, Call{Verb: "logs", Key: key, Ref: ref}, func() {
		i := m.find(key, ref)
		if i == nil {
			return
		}
		spec, _, err := parse(i.object)
		if err == nil {
			out = append(out, "hello from "+spec.Image)
		}
		if h := m.healthOf(i); h.State != resource.Well {
			out = append(out, "trouble: "+h.Reason)
		}
		out = out[max(0, len(out)-lines):]
	})
	return out, err
}
