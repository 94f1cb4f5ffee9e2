package docker

import (
	"cmp"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/mount"

	"syncd.io/syncd/internal/spec"
)

// anonymous matches the names that the engine makes up for volumes.
var anonymous = regexp.MustCompile(`^[0-9a-f]{64}$`)

func writeMounts(c spec.Container, f form) {
	for _, m := range c.Mounts {
		if legacy(m) {
			f.host.Binds = append(f.host.Binds, bindLine(m))
		} else {
			f.host.Mounts = append(f.host.Mounts, writeMount(m))
		}
	}
	f.host.Tmpfs, f.host.VolumesFrom = c.Tmpfs, c.VolumesFrom
}

// legacy tells whether m is written as SOURCE:TARGET:OPTIONS: only there do all
// engines make a missing source, and know SELinux labels. Materialised files are
// never to be made by an engine.
func legacy(m spec.Mount) bool {
	source, materialised := strings.CutPrefix(m.Source, spec.MountPrefix)
	return m.Type == string(mount.TypeBind) && (m.CreateHostPath && !materialised || m.SELinux != "") &&
		!strings.ContainsRune(source, ':') && !strings.ContainsRune(m.Target, ':')
}

func bindLine(m spec.Mount) string {
	options := []string{"rw"}
	if m.ReadOnly {
		options[0] = "ro"
	}
	for _, o := range []string{m.SELinux, m.Propagation} {
		if o != "" {
			options = append(options, o)
		}
	}
	return m.Source + ":" + m.Target + ":" + strings.Join(options, ",")
}

func writeMount(m spec.Mount) mount.Mount {
	out := mount.Mount{Type: mount.Type(m.Type), Source: m.Source, Target: m.Target, ReadOnly: m.ReadOnly}
	switch out.Type {
	case mount.TypeBind:
		if m.Propagation != "" || m.CreateHostPath {
			out.BindOptions = &mount.BindOptions{Propagation: mount.Propagation(m.Propagation), CreateMountpoint: m.CreateHostPath}
		}
	case mount.TypeVolume:
		if m.NoCopy || m.Subpath != "" {
			out.VolumeOptions = &mount.VolumeOptions{NoCopy: m.NoCopy, Subpath: m.Subpath}
		}
	case mount.TypeTmpfs:
		if m.TmpfsSize != 0 || m.TmpfsMode != 0 {
			out.TmpfsOptions = &mount.TmpfsOptions{SizeBytes: m.TmpfsSize, Mode: os.FileMode(m.TmpfsMode)}
		}
	case mount.TypeImage:
		if m.Subpath != "" {
			out.ImageOptions = &mount.ImageOptions{Subpath: m.Subpath}
		}
	}
	return out
}

func readMounts(f form, c *spec.Container, image *imageFacts) {
	byTarget := map[string]spec.Mount{}
	for target := range f.config.Volumes {
		byTarget[path.Clean(target)] = spec.Mount{Type: string(mount.TypeVolume), Target: path.Clean(target)}
	}
	for _, line := range f.host.Binds {
		m := readBind(line)
		byTarget[m.Target] = m
	}
	for _, m := range f.host.Mounts {
		byTarget[path.Clean(m.Target)] = readMount(m)
	}
	for target := range f.host.Tmpfs {
		if c.Tmpfs == nil {
			c.Tmpfs = map[string]string{}
		}
		c.Tmpfs[target] = f.host.Tmpfs[target]
		delete(byTarget, path.Clean(target))
	}
	for target, m := range byTarget {
		if !image.volumes[target] || m != (spec.Mount{Type: string(mount.TypeVolume), Target: target}) {
			c.Mounts = append(c.Mounts, m)
		}
	}
	slices.SortFunc(c.Mounts, func(a, b spec.Mount) int { return cmp.Compare(a.Target, b.Target) })
	for _, from := range f.host.VolumesFrom {
		c.VolumesFrom = append(c.VolumesFrom, strings.TrimSuffix(from, ":rw"))
	}
	slices.Sort(c.VolumesFrom)
}

// readBind reads SOURCE:TARGET[:OPTIONS]; a source that is no path is a volume.
func readBind(line string) spec.Mount {
	source, rest := cutSource(line)
	m := spec.Mount{Type: string(mount.TypeVolume), Source: source}
	target, options, _ := strings.Cut(rest, ":")
	if target != "" {
		m.Target = path.Clean(target)
	}
	switch {
	case strings.HasPrefix(source, "/"):
		m.Type, m.Source = string(mount.TypeBind), path.Clean(source)
	case strings.HasPrefix(source, spec.MountPrefix):
		m.Type = string(mount.TypeBind)
	}
	readBindOptions(&m, strings.Split(options, ","))
	return nameless(m)
}

// cutSource parts a bind's line behind its source, which may be that of a
// materialised file: of a volume called "mount" an absolute target follows.
func cutSource(line string) (source, rest string) {
	prefix := ""
	if inner, materialised := strings.CutPrefix(line, spec.MountPrefix); materialised && !strings.HasPrefix(inner, "/") {
		prefix, line = spec.MountPrefix, inner
	}
	source, rest, _ = strings.Cut(line, ":")
	return prefix + source, rest
}

func readBindOptions(m *spec.Mount, options []string) {
	for _, o := range options {
		switch o {
		case "ro":
			m.ReadOnly = true
		case "z", "Z":
			m.SELinux = o
		case "nocopy":
			m.NoCopy = true
		case "shared", "rshared", "slave", "rslave", "private":
			m.Propagation = o
		}
	}
}

func readMount(from mount.Mount) spec.Mount {
	m := spec.Mount{Type: string(from.Type), Source: from.Source, Target: path.Clean(from.Target), ReadOnly: from.ReadOnly}
	if from.Type == mount.TypeBind && strings.HasPrefix(m.Source, "/") {
		m.Source = path.Clean(m.Source)
	}
	if b := from.BindOptions; b != nil {
		m.Propagation = unless(string(b.Propagation), string(mount.PropagationRPrivate))
	}
	if v := from.VolumeOptions; v != nil {
		m.NoCopy, m.Subpath = v.NoCopy, v.Subpath
	}
	if t := from.TmpfsOptions; t != nil {
		m.TmpfsSize, m.TmpfsMode = t.SizeBytes, uint32(t.Mode)
	}
	if i := from.ImageOptions; i != nil {
		m.Subpath = i.Subpath
	}
	return nameless(m)
}

// nameless takes the engine's made-up name from an anonymous volume: a carried
// over one has it in its settings.
func nameless(m spec.Mount) spec.Mount {
	if m.Type == string(mount.TypeVolume) && anonymous.MatchString(m.Source) {
		m.Source = ""
	}
	return m
}
