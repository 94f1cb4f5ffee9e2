package compose

import (
	"cmp"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render/find"
	"syncd.io/syncd/internal/render/repo"
	"syncd.io/syncd/internal/spec"
)

// mounted maps volumes, tmpfs, volumes_from, configs and secrets.
func (a *app) mounted(s types.ServiceConfig, c *spec.Container) error {
	for _, v := range s.Volumes {
		m, err := a.mount(s, v)
		if err != nil {
			return err
		}
		c.Mounts = append(c.Mounts, m)
	}
	if err := a.materials(s, c); err != nil {
		return err
	}
	slices.SortStableFunc(c.Mounts, func(x, y spec.Mount) int { return cmp.Compare(x.Target, y.Target) })
	for i, m := range c.Mounts {
		if i > 0 && m.Target == c.Mounts[i-1].Target {
			return a.reject(s.Name, "volumes", "", "two things are mounted at %s", m.Target)
		}
	}
	for _, t := range s.Tmpfs {
		target, options, _ := strings.Cut(t, ":")
		if c.Tmpfs == nil {
			c.Tmpfs = map[string]string{}
		}
		c.Tmpfs[target] = options
	}
	c.VolumesFrom = volumesFrom(s.VolumesFrom)
	return nil
}

// volumesFrom brings web, web:ro and container:x:ro into one form.
func volumesFrom(l []string) []string {
	var out []string
	for _, v := range l {
		if !strings.HasPrefix(v, types.ContainerPrefix) {
			v = types.ServicePrefix + strings.TrimPrefix(v, types.ServicePrefix)
		}
		out = append(out, strings.TrimSuffix(v, ":rw"))
	}
	return set(out)
}

// mount maps one entry of volumes.
func (a *app) mount(s types.ServiceConfig, v types.ServiceVolumeConfig) (spec.Mount, error) {
	m := spec.Mount{Type: v.Type, Target: v.Target, ReadOnly: v.ReadOnly}
	if !path.IsAbs(v.Target) {
		return m, a.reject(s.Name, "volumes", "", "the target %q is no absolute path", v.Target)
	}
	if v.Consistency != "" {
		a.noteField(s.Name, "volumes", "consistency is ignored: it means nothing on Linux")
	}
	switch v.Type {
	case types.VolumeTypeVolume:
		return a.volumeMount(s, v, m)
	case types.VolumeTypeBind:
		return a.bind(s, v, m)
	case types.VolumeTypeTmpfs:
		if v.Tmpfs != nil {
			m.TmpfsSize, m.TmpfsMode = int64(v.Tmpfs.Size), v.Tmpfs.Mode
		}
	case types.VolumeTypeImage:
		m.Source, m.ReadOnly = v.Source, true
		if v.Image != nil {
			m.Subpath = v.Image.SubPath
		}
	default:
		return m, a.reject(s.Name, "volumes", "", "the type %s is not supported", v.Type)
	}
	return m, nil
}

func (a *app) volumeMount(s types.ServiceConfig, v types.ServiceVolumeConfig, m spec.Mount) (spec.Mount, error) {
	if v.Source != "" {
		m.Source = a.project.Volumes[v.Source].Name
	}
	if v.Volume == nil {
		return m, nil
	}
	m.NoCopy, m.Subpath = v.Volume.NoCopy, v.Volume.Subpath
	if len(v.Volume.Labels) > 0 {
		return m, a.reject(s.Name, "volumes", "label the volume itself, under the top-level volumes", "labels of a mount are not supported")
	}
	if m.Subpath != "" && !filepath.IsLocal(m.Subpath) {
		return m, a.reject(s.Name, "volumes", "", "the subpath %s leaves the volume", m.Subpath)
	}
	return m, nil
}

// bind maps a bind mount. What Git tracks and the container only reads comes
// from Git; what it writes, or what Git does not have, is the host's.
func (a *app) bind(s types.ServiceConfig, v types.ServiceVolumeConfig, m spec.Mount) (spec.Mount, error) {
	m.CreateHostPath = v.Bind == nil || bool(v.Bind.CreateHostPath)
	if v.Bind != nil {
		m.SELinux = v.Bind.SELinux
		if v.Bind.Propagation != types.PropagationRPrivate { // the engine's default
			m.Propagation = v.Bind.Propagation
		}
		if v.Bind.Recursive != "" {
			return m, a.reject(s.Name, "volumes", "", "bind.recursive is not supported")
		}
	}
	rel, inside := a.repo.Rel(v.Source)
	if !inside {
		var err error
		m.Source, err = a.ofHost(v.Source, func(hint, format string, args ...any) error {
			return a.reject(s.Name, "volumes", hint, "%s: "+format, append([]any{m.Target}, args...)...)
		})
		return m, err
	}
	m.CreateHostPath = false
	if v.ReadOnly {
		source, ok, err := a.material(s.Name, "volumes", rel, owner{})
		if err != nil || ok {
			m.Source = source
			return m, err
		}
	}
	var err error
	m.Source, err = a.hostPath(rel, func(hint, format string, args ...any) error {
		return a.block(s.Name, "volumes", hint, "%s: "+format, append([]any{m.Target}, args...)...)
	})
	if err == nil && a.isTracked(rel) && !v.ReadOnly {
		a.noteField(s.Name, "volumes", "%s is mounted writable, so it is the host's %s, not what Git has; `:ro` mounts what Git has", rel, m.Source)
	}
	return m, err
}

// ofHost is an absolute path of the host. It is one only where a file says it:
// whatever the scanner made of the files, no other path that compose-go comes
// with is taken for the host's.
func (a *app) ofHost(name string, reject func(hint, format string, args ...any) error) (string, error) {
	switch {
	case !path.IsAbs(name):
		return "", reject("", "%s is no path of a Linux host", name)
	case !a.absolute[path.Clean(name)]:
		return "", reject("write an absolute path for a directory of the host", "%w", repo.ErrOutside)
	}
	return path.Clean(name), nil
}

// hostPath is where a relative path lives that is not Git's to give. Without a
// hostDir the app is blocked: any other place would be an empty directory.
func (a *app) hostPath(rel string, block func(hint, format string, args ...any) error) (string, error) {
	inApp, err := filepath.Rel(filepath.FromSlash(a.req.App.Dir), filepath.FromSlash(rel))
	if err != nil {
		return "", block("", "%s: %w", rel, err)
	}
	if a.req.HostDir == "" {
		return "", block(
			"set `hostDir:` in "+a.path(find.Settings)+" to the directory on the host that holds it, or track it in Git and mount it with `:ro`",
			"the app is blocked: %s is writable or not in Git, and the app has no hostDir where it could live", written(inApp))
	}
	return filepath.Join(a.req.HostDir, inApp), nil
}

// written is a path as people write it: ./data, ../data.
func written(inApp string) string {
	if inApp = filepath.ToSlash(inApp); inApp == "." || repo.Local(inApp) {
		return "./" + strings.TrimPrefix(inApp, ".")
	}
	return inApp
}

// blockIn is a Blocked error about a network, volume, config or secret.
func (a *app) blockIn(kind, name, field, hint, format string, args ...any) error {
	return a.fault(fault.Blocked, kind, name, field, hint, format, args...)
}
