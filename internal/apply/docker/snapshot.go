package docker

import (
	"context"
	"slices"
	"strings"
	"sync"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// inspectors is how many containers are inspected at once.
const inspectors = 8

// snapshot is one look at a project and at what its containers refer to.
type snapshot struct {
	project    string
	containers []found
	gates      []found
	networks   []network.Inspect
	volumes    []*volume.Volume
	// owner is who took the app over, title what we have by that.
	owner ownerMark
	title title
	// outside are the names of containers of other projects that ours refer to
	// by ID.
	outside map[string]string
	// mounts is the directory of materialised files as the engine sees it.
	mounts string
}

// found is one container of the project.
type found struct {
	container.InspectResponse
	slot resource.Key
}

// isGate tells a gate from the project's own containers.
func (f found) isGate() bool { return f.slot.Kind == spec.KindRoute }

func (f found) labels() map[string]string { return f.Config.Labels }
func (f found) name() string              { return strings.TrimPrefix(f.Name, "/") }

// look takes a snapshot: one list of each kind, and one inspect per container.
func (t *Target) look(ctx context.Context) (*snapshot, error) {
	s := &snapshot{project: t.project, outside: map[string]string{}}
	var err error
	if s.mounts, err = t.engine.mountsDir(ctx); err != nil {
		return nil, err
	}
	if s.containers, err = t.engine.projectContainers(ctx, t.project); err != nil {
		return nil, err
	}
	s.part()
	if s.networks, err = t.engine.networks(ctx); err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	volumes, err := t.engine.api.VolumeList(limited, volume.ListOptions{})
	if err != nil {
		return nil, t.engine.classify(ctx, "list volumes", err)
	}
	s.volumes = volumes.Volumes
	s.owner = owner(t.project, s.volumes)
	s.title = s.owner.title(t.engine.opts.Agent)
	return s, t.nameOutside(ctx, s)
}

// part tells the gates from the project's own containers.
func (s *snapshot) part() {
	s.gates = slices.DeleteFunc(slices.Clone(s.containers), func(f found) bool { return !f.isGate() })
	s.containers = slices.DeleteFunc(s.containers, found.isGate)
}

// projectContainers inspects all containers of the project that are in a slot.
// One that disappears meanwhile is not there.
func (e *Engine) projectContainers(ctx context.Context, project string) ([]found, error) {
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	list, err := e.api.ContainerList(limited, container.ListOptions{
		All: true, Filters: filters.NewArgs(filters.Arg("label", labelProject+"="+project)),
	})
	if err != nil {
		return nil, e.classify(ctx, "list containers", err)
	}
	var slots []found
	for _, c := range list {
		slot, ok := slotOf(c.Labels)
		if c.Labels[labelGate] != "" {
			slot, ok = gateSlot(c.Labels), true
		}
		if ok && (c.Labels[labelOneoff] != "True" || c.Labels[labelGate] != "") && c.Labels[labelCheck] == "" {
			slots = append(slots, found{slot: slot, InspectResponse: container.InspectResponse{
				ContainerJSONBase: &container.ContainerJSONBase{ID: c.ID}}})
		}
	}
	return e.inspectAll(ctx, slots)
}

func (e *Engine) inspectAll(ctx context.Context, slots []found) ([]found, error) {
	var workers sync.WaitGroup
	errs := make([]error, len(slots))
	next := make(chan int)
	for range min(inspectors, len(slots)) {
		workers.Go(func() {
			for i := range next {
				slots[i].InspectResponse, errs[i] = e.inspect(ctx, slots[i].ID)
			}
		})
	}
	for i := range slots {
		next <- i
	}
	close(next)
	workers.Wait()
	out := slots[:0]
	for i, err := range errs {
		switch {
		case cerrdefs.IsNotFound(err):
		case err != nil:
			return nil, err
		case slots[i].State.Status == container.StateRemoving: // as good as gone
		default:
			out = append(out, slots[i])
		}
	}
	return out, nil
}

func (e *Engine) inspect(ctx context.Context, id string) (container.InspectResponse, error) {
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	in, err := e.api.ContainerInspect(limited, id)
	if err != nil {
		return in, e.classify(ctx, "inspect container "+short(id), err)
	}
	return in, nil
}

func short(id string) string {
	const length = 12
	id = strings.TrimPrefix(id, "sha256:")
	return id[:min(length, len(id))]
}

// networkName returns the name of the network with this ID; ok is false where
// there is none any more.
func (s *snapshot) networkName(id string) (string, bool) {
	for i := range s.networks {
		if s.networks[i].ID == id {
			return s.networks[i].Name, true
		}
	}
	return "", false
}

func (s *snapshot) network(name string) *network.Inspect {
	for i := range s.networks {
		if s.networks[i].Name == name {
			return &s.networks[i]
		}
	}
	return nil
}

func (s *snapshot) volume(name string) *volume.Volume {
	for _, v := range s.volumes {
		if v.Name == name {
			return v
		}
	}
	return nil
}

// slotInstances returns the containers of one slot, the newest first.
func (s *snapshot) slotInstances(slot resource.Key) []found {
	var out []found
	for _, f := range s.containers {
		if f.slot == slot {
			out = append(out, f)
		}
	}
	return newestFirst(out)
}
