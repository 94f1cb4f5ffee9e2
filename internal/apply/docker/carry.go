package docker

import (
	"maps"
	"path"
	"slices"

	"github.com/docker/docker/api/types/mount"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// carried returns the anonymous volumes that a new instance takes over from those
// of its slot, by target: what they hold must not be lost with a replacement.
func (c *comparison) carried(instances []found) map[string]string {
	out := map[string]string{}
	if c.once {
		return out
	}
	for _, target := range c.anonymous(instances) {
		if name := anonymousAt(instances, target); name != "" {
			out[target] = name
		}
	}
	return out
}

// anonymous returns where a new instance has volumes without a name: what is
// mounted so, and what the image declares and nothing is mounted over. An image
// that is not here yet is taken to declare what the last one did.
func (c *comparison) anonymous(instances []found) []string {
	var out []string
	taken := map[string]bool{}
	for _, m := range c.want.Mounts {
		target := path.Clean(m.Target)
		taken[target] = true
		if m.Type == string(mount.TypeVolume) && m.Source == "" {
			out = append(out, target)
		}
	}
	for target := range c.want.Tmpfs {
		taken[path.Clean(target)] = true
	}
	declared := c.image.volumes
	if c.image.absent {
		declared = map[string]bool{}
		for _, f := range instances {
			for _, m := range f.anonymous() {
				declared[path.Clean(m.Target)] = true
			}
		}
	}
	for target := range declared {
		if !taken[target] {
			out = append(out, target)
		}
	}
	return out
}

// anonymous returns the container's volumes that the engine has named.
func (f found) anonymous() []mount.Mount {
	var out []mount.Mount
	for _, m := range f.Mounts {
		if m.Type == mount.TypeVolume && anonymous.MatchString(m.Name) {
			out = append(out, mount.Mount{Type: m.Type, Source: m.Name, Target: path.Clean(m.Destination), ReadOnly: !m.RW})
		}
	}
	return out
}

// anonymousAt returns the anonymous volume of the newest instance that has one
// at target.
func anonymousAt(instances []found, target string) string {
	for _, f := range instances {
		if !started(f.State) {
			continue
		}
		for _, m := range f.anonymous() {
			if m.Target == target {
				return m.Source
			}
		}
	}
	return ""
}

// carryOver mounts into the new instance what it takes over.
func carryOver(f form, c *comparison, instances []found) {
	carried := c.carried(instances)
	for _, target := range slices.Sorted(maps.Keys(carried)) {
		m := mount.Mount{Type: mount.TypeVolume, Source: carried[target], Target: target}
		at := slices.IndexFunc(f.host.Mounts, func(m mount.Mount) bool { return path.Clean(m.Target) == target })
		if at < 0 {
			f.host.Mounts = append(f.host.Mounts, m)
		} else {
			f.host.Mounts[at].Source = m.Source
		}
	}
}

// writes claims an anonymous volume, which no Compose file knows of: two instances
// of a database on one of them would destroy it.
func writes(volume, target string, c spec.Container) resource.Claim {
	return resource.Claim{Kind: resource.ClaimWriter, Value: "anonymous volume " + short(volume) + " at " + target + " for " + c.Service}
}
