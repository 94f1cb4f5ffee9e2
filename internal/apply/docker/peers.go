package docker

import (
	"cmp"
	"context"
	"slices"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

const (
	servicePrefix   = "service:"
	containerPrefix = "container:"
)

func newestFirst(list []found) []found {
	slices.SortStableFunc(list, func(a, b found) int { return cmp.Compare(b.Created, a.Created) })
	return list
}

// modes returns every namespace mode and volume source of h that can refer to
// another container.
func modes(h *container.HostConfig) []string {
	return append([]string{string(h.NetworkMode), string(h.IpcMode), string(h.PidMode)}, prefixed(h.VolumesFrom)...)
}

// prefixed says volumes_from entries (ID:mode) as container:ID:mode.
func prefixed(from []string) []string {
	out := make([]string, len(from))
	for i, v := range from {
		out[i] = v
		if !shared(v) {
			out[i] = containerPrefix + v
		}
	}
	return out
}

// nameOutside looks up the names of containers outside the project that ours
// refer to.
func (t *Target) nameOutside(ctx context.Context, s *snapshot) error {
	for _, f := range s.containers {
		for _, mode := range modes(f.HostConfig) {
			rest, ok := strings.CutPrefix(mode, containerPrefix)
			id, _, _ := strings.Cut(rest, ":")
			if !ok || s.serviceOf(id) != "" || s.outside[id] != "" {
				continue
			}
			in, err := t.engine.inspect(ctx, id)
			switch {
			case cerrdefs.IsNotFound(err):
				s.outside[id] = short(id)
			case err != nil:
				return err
			default:
				s.outside[id] = strings.TrimPrefix(in.Name, "/")
			}
		}
	}
	return nil
}

// serviceOf returns the service of the project's container with this ID or name.
func (s *snapshot) serviceOf(idOrName string) string {
	for _, f := range s.containers {
		if f.ID == idOrName || f.name() == idOrName {
			return f.slot.Namespace
		}
	}
	return ""
}

// symbolic returns a copy of the settings with references to containers said in
// Compose's way: by name where want says the name, else by service.
func (s *snapshot) symbolic(h container.HostConfig, want *spec.Container) *container.HostConfig {
	var wanted []string
	if want != nil {
		wanted = append(prefixed(want.VolumesFrom), want.NetworkMode, want.Security.IPC, want.Security.PID)
	}
	h.NetworkMode = container.NetworkMode(s.symbol(string(h.NetworkMode), wanted))
	h.IpcMode = container.IpcMode(s.symbol(string(h.IpcMode), wanted))
	h.PidMode = container.PidMode(s.symbol(string(h.PidMode), wanted))
	from := prefixed(h.VolumesFrom)
	for i := range from {
		from[i] = s.symbol(from[i], wanted)
	}
	h.VolumesFrom = from
	s.symbolicMounts(&h)
	return &h
}

func (s *snapshot) symbol(mode string, wanted []string) string {
	rest, ok := strings.CutPrefix(mode, containerPrefix)
	if !ok {
		return mode
	}
	id, suffix, more := strings.Cut(rest, ":")
	if more {
		suffix = ":" + suffix
	}
	if name := s.nameOf(id); name != "" {
		named := containerPrefix + name + suffix
		if service := s.serviceOf(id); service != "" && !slices.Contains(wanted, strings.TrimSuffix(named, ":rw")) {
			if peer := s.present(service); peer.ID != id && peer.name() != id {
				return mode // the namespace of an instance that gave way to another one
			}
			return servicePrefix + service + suffix
		}
		return named
	}
	return mode
}

// nameOf returns the name of a container that one of the project refers to.
func (s *snapshot) nameOf(idOrName string) string {
	for _, f := range s.containers {
		if f.ID == idOrName || f.name() == idOrName {
			return f.name()
		}
	}
	return s.outside[idOrName]
}

// actual is the opposite of symbol: the ID of the service's present container.
// Errors: Rejected where the service has none.
func (s *snapshot) actual(mode string) (string, error) {
	rest, ok := strings.CutPrefix(mode, servicePrefix)
	if !ok {
		return mode, nil
	}
	service, suffix, more := strings.Cut(rest, ":")
	if more {
		suffix = ":" + suffix
	}
	peer := s.present(service)
	if peer == nil {
		return "", rejected("the service must be part of the app and start first", "resolve %s: no container of %s", mode, service)
	}
	return containerPrefix + peer.ID + suffix, nil
}

// present returns the instance that stands for a service: of its first slot the
// newest that runs, else the newest.
func (s *snapshot) present(service string) *found {
	var slots []resource.Key
	for _, f := range s.containers {
		if f.slot.Namespace == service {
			slots = append(slots, f.slot)
		}
	}
	if len(slots) == 0 {
		return nil
	}
	instances := s.slotInstances(slices.MinFunc(slots, resource.Key.Compare))
	for i := range instances {
		if instances[i].State.Running {
			return &instances[i]
		}
	}
	return &instances[0]
}

// resolve puts IDs in the place of all references to services.
func (s *snapshot) resolve(h *container.HostConfig) error {
	network, err := s.actual(string(h.NetworkMode))
	if err != nil {
		return err
	}
	ipc, err := s.actual(string(h.IpcMode))
	if err != nil {
		return err
	}
	pid, err := s.actual(string(h.PidMode))
	if err != nil {
		return err
	}
	h.NetworkMode, h.IpcMode, h.PidMode = container.NetworkMode(network), container.IpcMode(ipc), container.PidMode(pid)
	from := slices.Clone(h.VolumesFrom)
	for i := range from {
		if from[i], err = s.actual(from[i]); err != nil {
			return err
		}
		from[i] = strings.TrimPrefix(from[i], containerPrefix)
	}
	h.VolumesFrom = from
	return nil
}
