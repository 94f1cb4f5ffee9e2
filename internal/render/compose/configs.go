package compose

import (
	"path"
	"strconv"

	"github.com/compose-spec/compose-go/v2/types"

	"syncd.io/syncd/internal/spec"
)

// defaultFileMode is that of configs and secrets.
const defaultFileMode = 0o444

// fileObject is a config or a secret, as a service refers to it.
type fileObject struct {
	kind   string // config or secret
	target string
	ref    types.FileReferenceConfig
	object types.FileObjectConfig
}

// materials maps configs and secrets to read-only binds.
func (a *app) materials(s types.ServiceConfig, c *spec.Container) error {
	var objects []fileObject
	for _, ref := range s.Configs {
		objects = append(objects, fileObject{"config", rooted("/", ref.Target, ref.Source), types.FileReferenceConfig(ref), types.FileObjectConfig(a.project.Configs[ref.Source])})
	}
	for _, ref := range s.Secrets {
		objects = append(objects, fileObject{"secret", rooted("/run/secrets", ref.Target, ref.Source), types.FileReferenceConfig(ref), types.FileObjectConfig(a.project.Secrets[ref.Source])})
	}
	for _, o := range objects {
		source, err := a.fileSource(s, o)
		if err != nil {
			return err
		}
		c.Mounts = append(c.Mounts, spec.Mount{Type: types.VolumeTypeBind, Source: source, Target: o.target, ReadOnly: true})
	}
	return nil
}

// rooted is where a config or secret is mounted: at its name by default.
func rooted(dir, target, source string) string {
	switch {
	case target == "":
		target = source
	case path.IsAbs(target):
		return path.Clean(target)
	}
	return path.Join(dir, target)
}

// fileSource returns the source of the bind.
func (a *app) fileSource(s types.ServiceConfig, o fileObject) (string, error) {
	if err := a.fileSupported(o); err != nil {
		return "", err
	}
	as, err := a.ownerOf(s, o)
	if err != nil {
		return "", err
	}
	switch {
	case o.object.File != "":
		return a.fileFrom(s, o, as)
	case o.object.Environment != "":
		value, ok := a.env[o.object.Environment]
		if !ok {
			return "", a.rejectIn(o.kind, o.ref.Source, "environment", variableHint(o.object.Environment), "the variable %s has no value", o.object.Environment)
		}
		return a.inline(path.Base(o.target), []byte(value), as), nil
	}
	return a.inline(path.Base(o.target), []byte(o.object.Content), as), nil
}

// fileSupported rejects what a single engine has no store for.
func (a *app) fileSupported(o fileObject) error {
	name, field := o.ref.Source, ""
	switch f := o.object; {
	case bool(f.External):
		return a.rejectIn(o.kind, name, "external", "say `file:` with an absolute path for a file of the host, or `environment:` for a value of the host", "one engine has no store of %ss", o.kind)
	case f.Driver != "":
		field = "driver"
	case len(f.DriverOpts) > 0:
		field = "driver_opts"
	case f.TemplateDriver != "":
		field = "template_driver"
	}
	if field != "" {
		return a.rejectIn(o.kind, name, field, "", "not supported")
	}
	if len(o.object.Labels) > 0 {
		a.note("%s: %s %s: labels: ignored", a.index.at(o.kind+"s", name, "labels"), o.kind, name)
	}
	if o.object.Name != "" && o.object.Name != a.project.Name+"_"+name {
		a.note("%s: %s %s: name: ignored", a.index.at(o.kind+"s", name, "name"), o.kind, name)
	}
	return nil
}

// ownerOf reads uid, gid and mode of the long form.
func (a *app) ownerOf(s types.ServiceConfig, o fileObject) (owner, error) {
	out := owner{mode: defaultFileMode}
	if o.ref.Mode != nil {
		if *o.ref.Mode < 0 || *o.ref.Mode > 0o7777 {
			return out, a.reject(s.Name, o.kind+"s", "write it in octal, such as 0440", "%s: mode %d", o.ref.Source, *o.ref.Mode)
		}
		out.mode = uint32(*o.ref.Mode)
	}
	for _, of := range []struct {
		field, text string
		id          *int
	}{{"uid", o.ref.UID, &out.uid}, {"gid", o.ref.GID, &out.gid}} {
		if of.text == "" {
			continue
		}
		id, err := strconv.ParseUint(of.text, 10, 31)
		if err != nil {
			return out, a.reject(s.Name, o.kind+"s", "", "%s: %s %q is no number", o.ref.Source, of.field, of.text)
		}
		*of.id = int(id)
	}
	return out, nil
}

// fileFrom binds a file: from Git, from hostDir, or an absolute one of the host.
func (a *app) fileFrom(s types.ServiceConfig, o fileObject, as owner) (string, error) {
	rel, inside := a.repo.Rel(o.object.File)
	if inside {
		if a.isDirectory(rel) {
			as.mode = 0
		}
		source, ok, err := a.material(s.Name, o.kind+"s", rel, as)
		if err != nil || ok {
			return source, err
		}
	}
	if o.ref.Mode != nil || o.ref.UID != "" || o.ref.GID != "" {
		return "", a.reject(s.Name, o.kind+"s", "give the file on the host the owner and mode that the container needs", "%s: uid, gid and mode are for files that Git or a value gives", o.ref.Source)
	}
	if !inside {
		return a.ofHost(o.object.File, func(hint, format string, args ...any) error {
			return a.rejectIn(o.kind, o.ref.Source, "file", hint, format, args...)
		})
	}
	return a.hostPath(rel, func(hint, format string, args ...any) error {
		return a.blockIn(o.kind, o.ref.Source, "file", hint, format, args...)
	})
}

// isDirectory tells whether Git has files below the path.
func (a *app) isDirectory(rel string) bool {
	canonical, err := a.repo.Follow(rel)
	if err != nil {
		return false // material says why
	}
	_, file := a.repo.Blob(canonical)
	return !file
}
