package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// create makes and starts a new instance beside those that are there.
func (t *Target) create(ctx context.Context, s *snapshot, c *comparison, o resource.Object, instances []found) (string, error) {
	if err := t.discardHalfMade(ctx, instances); err != nil {
		return "", err
	}
	f, err := t.prepare(ctx, s, c, o)
	if err != nil {
		return "", err
	}
	carryOver(f, c, instances)
	name, err := t.freeName(ctx, s, c.want.Name, o.Hash())
	if err != nil {
		return "", err
	}
	id, err := t.make(ctx, f, c.want, unproven(name, c.want))
	if err != nil {
		return "", err
	}
	if err := t.begin(ctx, id, name, c.want.PostStart); err != nil {
		return "", err
	}
	return id, nil
}

// prepare says c in the engine's words, with IDs and paths in the place of
// references.
func (t *Target) prepare(ctx context.Context, s *snapshot, c *comparison, o resource.Object) (form, error) {
	if err := t.engine.supports(c.want); err != nil {
		return form{}, err
	}
	f := write(c.want)
	labels, err := t.containerLabels(o, c.want)
	if err != nil {
		return f, err
	}
	s.inherit(labels)
	f.config.Labels = labels
	if f.config.Image, err = t.imageName(ctx, c.want); err != nil {
		return f, err
	}
	if err := s.resolve(f.host); err != nil {
		return f, err
	}
	if f.host.Links, err = s.resolveLinks(f.host.Links); err != nil {
		return f, err
	}
	if err := s.resolveEndpointLinks(f.endpoints); err != nil {
		return f, err
	}
	if err := t.needed(s, c.want); err != nil {
		return f, err
	}
	t.engine.placeMAC(f)
	return f, t.materialised(s, f.host)
}

// needed refuses what an engine would make silently, or fail on half-way: a
// volume without content and labels, a network that is not there. One of the app's own
// was put before: somebody has removed it, which is no revision's fault.
func (t *Target) needed(s *snapshot, c spec.Container) error {
	for _, m := range c.Mounts {
		if m.Type == string(mount.TypeVolume) && m.Source != "" && s.volume(m.Source) == nil {
			return rejected("create the volume first: an empty one is never made silently", "volume %s does not exist", m.Source)
		}
	}
	for _, e := range c.Networks {
		switch own := t.declares(resource.Key{Kind: spec.KindNetwork, Name: e.Network}); {
		case s.network(e.Name) != nil:
		case own:
			return vanished("it is made again by itself", fmt.Errorf("network %s is not there any more", e.Name))
		default:
			return rejected("create the network first", "network %s does not exist", e.Name)
		}
	}
	return nil
}

// declares tells whether what is wanted of the app has the key.
func (t *Target) declares(key resource.Key) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, own := t.wanted[key]
	return own
}

// imageName returns the reference to create with: the user's own where it means
// the pinned image, so that `docker ps` shows it, else the ID.
func (t *Target) imageName(ctx context.Context, c spec.Container) (string, error) {
	if c.Pin == "" {
		return c.Image, nil
	}
	in, err := t.engine.inspectImage(ctx, c.Image)
	if err == nil && in.ID == c.Pin {
		return c.Image, nil
	}
	if err != nil && !cerrdefs.IsNotFound(err) && !cerrdefs.IsInvalidArgument(err) {
		return "", err
	}
	return c.Pin, nil
}

// placeMAC puts a container's MAC address where this engine looks for it.
func (e *Engine) placeMAC(f form) {
	primary := f.endpoints[string(f.host.NetworkMode)]
	mac := f.config.MacAddress //nolint:staticcheck // what engines before API 1.44 know
	switch {
	case e.knows("1.44") && mac != "":
		if primary == nil {
			primary = &network.EndpointSettings{}
			f.endpoints[string(f.host.NetworkMode)] = primary
		}
		primary.MacAddress, f.config.MacAddress = mac, "" //nolint:staticcheck // as above
	case !e.knows("1.44") && primary != nil && primary.MacAddress != "":
		f.config.MacAddress, primary.MacAddress = primary.MacAddress, "" //nolint:staticcheck // as above
	}
}

// make creates the container on all its networks, or leaves nothing behind.
func (t *Target) make(ctx context.Context, f form, c spec.Container, name string) (string, error) {
	config, rest := t.engine.firstEndpoints(f)
	platform, err := parsePlatform(c.Platform)
	if err != nil {
		return "", err
	}
	limited, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	made, err := t.engine.api.ContainerCreate(limited, f.config, f.host, config, platform, name)
	if err != nil {
		return "", t.engine.refused(ctx, "create container "+name, c, err)
	}
	for _, network := range slices.Sorted(maps.Keys(rest)) {
		if err := t.engine.connect(ctx, network, made.ID, rest[network]); err != nil {
			return "", errors.Join(err, t.engine.discard(ctx, made.ID))
		}
	}
	return made.ID, nil
}

// firstEndpoints splits endpoints into what this engine takes at create, and
// what is connected after it: before API 1.44 only one was taken.
func (e *Engine) firstEndpoints(f form) (*network.NetworkingConfig, map[string]*network.EndpointSettings) {
	rest := maps.Clone(f.endpoints)
	config := &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{}}
	for name, endpoint := range f.endpoints {
		if e.knows("1.44") || name == string(f.host.NetworkMode) {
			config.EndpointsConfig[name] = endpoint
			delete(rest, name)
		}
	}
	return config, rest
}

func parsePlatform(text string) (*ocispec.Platform, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // the engine's own platform
	}
	parts := strings.Split(text, "/")
	const most = 3
	if len(parts) > most {
		return nil, rejected("write it as os/architecture[/variant]", "platform %q is not valid", text)
	}
	p := &ocispec.Platform{OS: "linux", Architecture: runtime.GOARCH}
	switch len(parts) {
	case most:
		p.OS, p.Architecture, p.Variant = parts[0], parts[1], parts[2]
	case 2: //nolint:mnd // os/architecture
		p.OS, p.Architecture = parts[0], parts[1]
	default:
		p.OS = parts[0]
	}
	return p, nil
}

func (e *Engine) connect(ctx context.Context, name, id string, endpoint *network.EndpointSettings) error {
	limited, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	if err := e.api.NetworkConnect(limited, name, id, endpoint); err != nil {
		return e.classify(ctx, fmt.Sprintf("connect container %s to network %s", short(id), name), err)
	}
	return nil
}

// discard removes a container that never ran, with the anonymous volumes that
// only it has.
func (e *Engine) discard(ctx context.Context, id string) error {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeLimit)
	defer cancel()
	err := e.api.ContainerRemove(limited, id, container.RemoveOptions{Force: true, RemoveVolumes: true})
	if err != nil && !gone(err) {
		return e.classify(ctx, "remove half-made container "+short(id), err)
	}
	return nil
}

// discardHalfMade removes what an interrupted put left: created by us, never
// started, and not what is wanted.
func (t *Target) discardHalfMade(ctx context.Context, instances []found) error {
	for _, f := range instances {
		if ours(f) && f.State.Status == container.StateCreated && !started(f.State) {
			if err := t.engine.discard(ctx, f.ID); err != nil {
				return err
			}
		}
	}
	return nil
}
