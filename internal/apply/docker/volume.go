package docker

import (
	"cmp"
	"context"
	"maps"
	"slices"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/volume"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

const localDriver = "local"

// storedVolume says want with everything left out that the engine has by
// default. Of an external volume only the name is looked at.
func storedVolume(want spec.Volume) spec.Volume {
	if want.External {
		return spec.Volume{Name: want.Name, External: true}
	}
	want.Driver = unless(want.Driver, localDriver)
	want.Options, want.Labels = unempty(want.Options), unempty(ownLabels(want.Labels))
	return want
}

func liveVolume(v *volume.Volume, want *spec.Volume) spec.Volume {
	return storedVolume(spec.Volume{
		Name: v.Name, External: want != nil && want.External, Driver: v.Driver, Options: v.Options, Labels: v.Labels,
	})
}

func (t *Target) observeVolume(s *snapshot, p *resource.Pair) error {
	p.Kept = true
	var want *spec.Volume
	if p.Want != nil {
		v, err := decode[spec.Volume](*p.Want)
		if err != nil {
			return err
		}
		v = storedVolume(v)
		if p.Stored, err = resource.Canonical(v); err != nil {
			return err
		}
		want = &v
	}
	for _, v := range s.volumesOf(p.Key, want) {
		raw, err := resource.Canonical(liveVolume(v, want))
		if err != nil {
			return err
		}
		live := resource.Instance{
			Ref: resource.Ref{ID: v.Name}, Hash: v.Labels[labelHash], Spec: raw, Running: true,
			Health: resource.Health{State: resource.Well, Started: true},
		}
		if want == nil { // one that something else made under the wanted name is used as it is, as Compose does
			ours, by := t.base(s, v.Labels, func(f found) bool { return f.mounts(v.Name) })
			live.Foreign, live.Maker = !ours, by
		}
		p.Live = append(p.Live, live)
	}
	return nil
}

// mounts tells whether the container has the volume.
func (f found) mounts(volume string) bool {
	return slices.ContainsFunc(f.Mounts, func(m container.MountPoint) bool { return m.Type == mount.TypeVolume && m.Name == volume })
}

// volumesOf returns the volumes in a slot: the one with the wanted name; without
// one, those that a label puts there.
func (s *snapshot) volumesOf(key resource.Key, want *spec.Volume) []*volume.Volume {
	var out []*volume.Volume
	for _, v := range s.volumes {
		if want != nil && v.Name == want.Name ||
			want == nil && v.Labels[labelProject] == s.project && v.Labels[labelVolume] == key.Name {
			out = append(out, v)
		}
	}
	return out
}

// putVolume never touches a volume that is there: what it holds is not ours to
// judge.
func (t *Target) putVolume(ctx context.Context, o resource.Object) (resource.Ref, error) {
	want, err := decode[spec.Volume](o)
	if err != nil {
		return resource.Ref{}, err
	}
	have, err := t.engine.inspectVolume(ctx, want.Name)
	switch {
	case err == nil:
		return t.reuseVolume(have, want)
	case !cerrdefs.IsNotFound(err):
		return resource.Ref{}, err
	case want.External:
		return resource.Ref{}, rejected("create it: `docker volume create "+want.Name+"`", "external volume %s does not exist", want.Name)
	}
	labels := maps.Clone(want.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	t.commonLabels(labels, o)
	labels[labelVolume] = o.Key.Name
	limited, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	made, err := t.engine.api.VolumeCreate(limited, volume.CreateOptions{
		Name: want.Name, Driver: cmp.Or(want.Driver, localDriver), DriverOpts: want.Options, Labels: labels,
	})
	if err != nil {
		return resource.Ref{}, t.engine.classify(ctx, "create volume "+want.Name, err)
	}
	return resource.Ref{ID: made.Name}, nil
}

func (t *Target) reuseVolume(have volume.Volume, want spec.Volume) (resource.Ref, error) {
	stored := storedVolume(want)
	same, err := equal(stored, liveVolume(&have, &stored))
	if err != nil {
		return resource.Ref{}, err
	}
	if !same {
		return resource.Ref{}, rejected("give the volume another name, or move its data and remove it by hand",
			"put volume %s: it exists with other settings, and a new one would be empty", want.Name)
	}
	return resource.Ref{ID: have.Name}, nil
}

func (e *Engine) inspectVolume(ctx context.Context, name string) (volume.Volume, error) {
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	v, err := e.api.VolumeInspect(limited, name)
	if err != nil {
		return v, e.classify(ctx, "inspect volume "+name, err)
	}
	return v, nil
}

func (e *Engine) removeVolume(ctx context.Context, ref resource.Ref) error {
	limited, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	if err := e.api.VolumeRemove(limited, ref.ID, false); err != nil && !gone(err) {
		return e.classify(ctx, "remove volume "+ref.ID, err)
	}
	return nil
}
