package docker

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"syncd.io/syncd/internal/spec"
)

// The states that are not the engine's own words.
const (
	stateRunning = "running"
	stateDone    = "exited 0"
)

// stored returns want as the engine would have it, with everything left out that
// it has by default.
func stored(want spec.Container, image *imageFacts) spec.Container {
	c := read(write(want), image)
	c.State = stateRunning
	c.Name, c.Project, c.Service, c.Number = want.Name, want.Project, want.Service, want.Number
	c.Image, c.Pin = want.Image, want.Pin
	c.PostStart, c.PreStop, c.Drain = filled(want.PostStart), filled(want.PreStop), want.Drain
	keys := networkKeys(&want)
	for i := range c.Networks {
		c.Networks[i].Network = keys[c.Networks[i].Name]
	}
	c.Links = aliased(c.Links)
	tidy(&c, want.Name, want.Hostname)
	return c
}

// live returns what runs, in the same form. want is what it is compared with
// (nil: nothing), as stored returned it.
func (s *snapshot) live(f found, image *imageFacts, want *spec.Container, once bool) spec.Container {
	c := read(form{config: f.Config, host: s.symbolic(*f.HostConfig, want), endpoints: s.endpoints(f)}, image)
	c.State = state(f.State, once)
	c.Name, c.Project, c.Service = f.name(), f.labels()[labelProject], f.slot.Namespace
	c.Number, _ = strconv.Atoi(f.slot.Name) // what is no number is slot 0, and differs
	c.Image, c.Pin = imageRef(f), f.Image
	s.nameKeys(&c, want)
	c.Drain = drainLabel(f.labels())
	names := splitNames(f.labels()[labelDeclared])
	if h := hooksOf(f.labels()); ours(f) || want == nil {
		c.PostStart, c.PreStop = h.PostStart, h.PreStop
	}
	if want != nil {
		names = append(names, declared(*want)...)
		settle(&c, *want, f)
	}
	if want != nil || ours(f) {
		forget(&c, names)
	}
	if want == nil || want.Hostname == "" {
		forgetHostname(&c, f)
	}
	tidy(&c, c.Name, f.ID, short(f.ID), f.Config.Hostname, restingName(c, want))
	s.readLinks(&c)
	return c
}

func restingName(c spec.Container, want *spec.Container) string {
	if want != nil {
		return want.Name
	}
	return c.Project + "-" + c.Service + "-" + strconv.Itoa(c.Number)
}

// settle takes over from want what an engine cannot tell, or tells in other
// words.
func settle(c *spec.Container, want spec.Container, f found) {
	switch {
	case want.Pin == "":
		c.Pin = ""
		if sameRef(c.Image, want.Image) {
			c.Image = want.Image
		}
	case c.Pin == want.Pin:
		c.Image = want.Image
	}
	if !ours(f) {
		c.PostStart, c.PreStop = want.PostStart, want.PreStop
	}
	c.Drain = want.Drain
	// a changed memory limit alone leaves the swap limit that came with the old one
	if want.Resources.MemorySwap == 0 && want.Resources.Memory > 0 && c.Resources.MemorySwap == 2*want.Resources.Memory {
		c.Resources.MemorySwap = 0
	}
	if !f.State.Running { // addresses are told only while it runs
		c.MacAddress = cmp.Or(c.MacAddress, want.MacAddress)
		for i := range c.Networks {
			for _, e := range want.Networks {
				if e.Name == c.Networks[i].Name {
					c.Networks[i].MacAddress = cmp.Or(c.Networks[i].MacAddress, e.MacAddress)
				}
			}
		}
	}
}

// ours tells whether syncd made f.
func ours(f found) bool { return f.labels()[labelApp] != "" }

func imageRef(f found) string {
	if ref := f.labels()[labelRef]; ref != "" {
		return ref
	}
	return f.Config.Image
}

func sameRef(a, b string) bool {
	x, errX := reference.ParseDockerRef(a)
	y, errY := reference.ParseDockerRef(b)
	return errX == nil && errY == nil && x.String() == y.String()
}

// state says an engine's state in the words of a comparison. A container that
// the engine restarts is running: its health is another matter.
func state(s *container.State, once bool) string {
	switch {
	case s.Paused:
		return s.Status
	case s.Running, s.Restarting:
		return stateRunning
	case once && s.Status == container.StateExited:
		return "exited " + strconv.Itoa(s.ExitCode)
	default:
		return s.Status
	}
}

// endpoints returns the networks that f is on, by their present names; one that
// was made anew under the same name is another network.
func (s *snapshot) endpoints(f found) map[string]*network.EndpointSettings {
	out := map[string]*network.EndpointSettings{}
	if f.NetworkSettings == nil {
		return out
	}
	for name, e := range f.NetworkSettings.Networks {
		if e == nil {
			continue
		}
		if e.NetworkID != "" {
			current, ok := s.networkName(e.NetworkID)
			if !ok {
				continue
			}
			name = current
		}
		out[name] = e
	}
	return out
}

func networkKeys(c *spec.Container) map[string]string {
	keys := map[string]string{}
	if c != nil {
		for _, e := range c.Networks {
			keys[e.Name] = e.Network
		}
	}
	return keys
}

// nameKeys gives endpoints the keys of the Compose file.
func (s *snapshot) nameKeys(c *spec.Container, want *spec.Container) {
	keys := networkKeys(want)
	for i, e := range c.Networks {
		key, ok := keys[e.Name]
		if n := s.network(e.Name); !ok && n != nil {
			key = n.Labels[labelNetwork]
		}
		c.Networks[i].Network = cmp.Or(key, e.Name)
	}
}

// forgetHostname drops a host name that the engine chose.
func forgetHostname(c *spec.Container, f found) {
	mode := f.HostConfig.NetworkMode
	if mode.IsHost() || mode.IsContainer() || f.HostConfig.UTSMode.IsHost() {
		c.Hostname, c.DomainName = "", ""
	}
	if c.Hostname != "" && strings.HasPrefix(f.ID, c.Hostname) {
		c.Hostname = ""
	}
}

// tidy drops aliases that say a container's own name, ID or host name: engines
// and Compose add these by themselves.
func tidy(c *spec.Container, own ...string) {
	for i := range c.Networks {
		c.Networks[i].Aliases = filled(slices.DeleteFunc(c.Networks[i].Aliases, func(a string) bool { return slices.Contains(own, a) }))
	}
}

// restrict drops from c what it may have from an image that is not known, and
// want does not say.
func restrict(c *spec.Container, want spec.Container) {
	if want.Command == nil {
		c.Command = nil
	}
	if want.Entrypoint == nil {
		c.Entrypoint = nil
	}
	keepKeys(&c.Environment, want.Environment)
	keepKeys(&c.Labels, want.Labels)
	for _, pair := range []struct {
		have *string
		want string
	}{{&c.WorkingDir, want.WorkingDir}, {&c.User, want.User}, {&c.StopSignal, want.StopSignal}} {
		if pair.want == "" {
			*pair.have = ""
		}
	}
	if want.Healthcheck == nil {
		c.Healthcheck = nil
	}
	c.Expose = filled(slices.DeleteFunc(c.Expose, func(p string) bool { return !slices.Contains(want.Expose, p) }))
	c.Mounts = filled(slices.DeleteFunc(c.Mounts, func(m spec.Mount) bool {
		return m.Type == "volume" && m.Source == "" && !slices.ContainsFunc(want.Mounts, func(w spec.Mount) bool { return w.Target == m.Target })
	}))
}

func keepKeys(m *map[string]string, of map[string]string) {
	for key := range *m {
		if _, ok := of[key]; !ok {
			delete(*m, key)
		}
	}
	*m = unempty(*m)
}
